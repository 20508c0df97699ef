package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"text/tabwriter"

	"golang.org/x/sys/cpu"
)

// results are all samples of a run, and what a reader of them needs to know.
type results struct {
	Suite    string            `json:"suite"`
	Go       string            `json:"go"`
	Cores    int               `json:"cores"`
	Procs    int               `json:"gomaxprocs"`
	CPU      map[string]bool   `json:"cpu"`
	Versions map[string]string `json:"versions"`
	Samples  []sample          `json:"samples"`
}

// sample is the samples of one measurement over one mechanism: messages a second, or seconds.
type sample struct {
	Backend     string    `json:"backend"`
	Measurement string    `json:"measurement"`
	Mechanism   string    `json:"mechanism"`
	Values      []float64 `json:"values"`
	Median      float64   `json:"median"`
}

func newResults(s settings) *results {
	return &results{
		Suite: s.suite.String(), Go: runtime.Version() + " " + runtime.GOARCH, Cores: runtime.NumCPU(),
		Procs: runtime.GOMAXPROCS(0), CPU: features(), Versions: versions(),
	}
}

// features are those of the processor for which Go's AES-GCM, ChaCha20 and hashes have code of their own.
func features() map[string]bool {
	if runtime.GOARCH == "arm64" {
		return map[string]bool{"AES": cpu.ARM64.HasAES, "PMULL": cpu.ARM64.HasPMULL, "SHA2": cpu.ARM64.HasSHA2, "SHA3": cpu.ARM64.HasSHA3}
	}
	return map[string]bool{
		"AES": cpu.X86.HasAES, "PCLMULQDQ": cpu.X86.HasPCLMULQDQ, "SSE4.1": cpu.X86.HasSSE41, "SSSE3": cpu.X86.HasSSSE3,
		"AVX2": cpu.X86.HasAVX2, "BMI2": cpu.X86.HasBMI2,
	}
}

func versions() map[string]string {
	found := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			found[module.Path] = module.Version
		}
	}
	return found
}

func (r *results) add(backend, measurement, mechanism string, value float64) {
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Backend == backend && s.Measurement == measurement && s.Mechanism == mechanism {
			s.Values = append(s.Values, value)
			s.Median = median(s.Values)
			return
		}
	}
	r.Samples = append(r.Samples, sample{backend, measurement, mechanism, []float64{value}, value})
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func (r *results) find(backend, measurement, mechanism string) (sample, bool) {
	for _, s := range r.Samples {
		if s.Backend == backend && s.Measurement == measurement && s.Mechanism == mechanism {
			return s, true
		}
	}
	return sample{}, false
}

// print writes a table for each backend. Ratios are of speed: above 1 QZMQ is faster, except for times, where it is slower.
func (r *results) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d cores, GOMAXPROCS %d, %s\n", r.Go, r.Cores, r.Procs, r.Suite)
	for _, name := range slices.Sorted(maps.Keys(r.CPU)) {
		fmt.Fprintf(w, "%s: %v  ", name, r.CPU[name])
	}
	fmt.Fprintln(w)
	for _, backend := range backends() {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(table, "\n%s\tNULL\tCURVE\tQZMQ\t/NULL\t/CURVE\t\n", backend)
		for _, m := range measurements {
			r.printRow(table, backend, m)
		}
		_ = table.Flush()
	}
}

func (r *results) printRow(w io.Writer, backend string, m measurement) {
	secured, ok := r.find(backend, m.name, "QZMQ")
	if !ok {
		return
	}
	cells, ratios := "", ""
	for _, mechanism := range []string{"NULL", "CURVE"} {
		s, ok := r.find(backend, m.name, mechanism)
		if !ok {
			cells, ratios = cells+"\t", ratios+"\t"
			continue
		}
		cells += m.format(s.Median) + "\t"
		ratios += fmt.Sprintf("%.2f\t", ratio(secured, s))
	}
	fmt.Fprintf(w, "%s\t%s%s\t%s\n", m.name, cells, m.format(secured.Median), ratios)
}

// ratio is the median of the rounds' ratios: both samples of a round were taken one after the other.
func ratio(a, b sample) float64 {
	var ratios []float64
	for i := range min(len(a.Values), len(b.Values)) {
		ratios = append(ratios, a.Values[i]/b.Values[i])
	}
	return median(ratios)
}

func (m measurement) format(value float64) string {
	if m.rate {
		return fmt.Sprintf("%.0f/s", value)
	}
	return fmt.Sprintf("%.0f us", value*1e6)
}
