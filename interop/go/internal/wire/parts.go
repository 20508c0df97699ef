package wire

import "qzmq.test/go/internal/registry"

// CipherSuite is a suite as a structure of its own; it may be one that nobody knows.
type CipherSuite struct{ registry.Suite }

func (m *CipherSuite) fields(c *coder) { suite(c, &m.Suite) }

func suite(c *coder, s *registry.Suite) {
	integer(c, "kem", &s.Kem)
	integer(c, "sig", &s.Sig)
	integer(c, "aead", &s.Aead)
	integer(c, "hash", &s.Hash)
}

// Extension is one extension of a hello, listed or not.
type Extension struct {
	ExtensionType registry.ExtensionType
	ExtensionData []byte
}

func (m *Extension) fields(c *coder) { extension(c, m) }

func extension(c *coder, e *Extension) {
	integer(c, "extension_type", &e.ExtensionType)
	c.vector("extension_data", &e.ExtensionData, 0, most16)
}

// Empty is the data of an extension that has none.
type Empty struct {
	Nothing []byte
}

func (m *Empty) fields(c *coder) { c.array("nothing", &m.Nothing, 0) }

// ClientAuthRequest lists the signature algorithms that a server accepts of its clients (POL-4).
type ClientAuthRequest struct {
	Algorithms []registry.SigId // at least one
}

func (m *ClientAuthRequest) fields(c *coder) {
	list(c, "algorithms", &m.Algorithms, 1, 255, func(c *coder, id *registry.SigId) { integer(c, "algorithm", id) })
}

// PreSharedKey offers a ticket (RES-8).
type PreSharedKey struct {
	Identity []byte // 1 to 2^16-1 octets
	Binder   []byte // 32 to 64 octets
}

func (m *PreSharedKey) fields(c *coder) {
	c.vector("identity", &m.Identity, 1, most16)
	c.vector("binder", &m.Binder, 32, 64)
}

// PuzzleSolution answers a HelloRetry.
type PuzzleSolution struct {
	Cookie   []byte // 16 to 64 octets
	Solution uint64
}

func (m *PuzzleSolution) fields(c *coder) {
	c.vector("cookie", &m.Cookie, 16, 64)
	integer(c, "solution", &m.Solution)
}

// Status is an EarlyDataStatus.
type Status uint8

// The answers of RES-15.
const (
	Accepted Status = 1
	Rejected Status = 2
	Unknown  Status = 3
)

// EarlyDataAnswer tells what became of early data.
type EarlyDataAnswer struct {
	Status Status
}

func (m *EarlyDataAnswer) fields(c *coder) {
	enumeration(c, "status", &m.Status, func(s Status) bool { return s >= Accepted && s <= Unknown })
}

// Certificate is a side's long-term key, raw or at the end of a chain (spec/certificates.md).
type Certificate struct {
	CertificateType registry.CertificateType
	Body            []byte
}

func (m *Certificate) fields(c *coder) {
	integer(c, "certificate_type", &m.CertificateType)
	c.rest("body", &m.Body)
}

// CertificateEntry is one certificate of a chain.
type CertificateEntry struct {
	Der []byte // at least one octet
}

func (m *CertificateEntry) fields(c *coder) { certificateEntry(c, m) }

func certificateEntry(c *coder, e *CertificateEntry) { c.vector("der", &e.Der, 1, most24) }

// CertificateChain is the body of an x509 Certificate, the leaf first.
type CertificateChain struct {
	Certificates []CertificateEntry
}

func (m *CertificateChain) fields(c *coder) {
	elements(c, "certificates", &m.Certificates, certificateEntry)
}

// Property is one name and value of metadata (spec/patterns.md).
type Property struct {
	Name  []byte // 1 to 255 octets
	Value []byte // 0 to 2^31-1 octets
}

func (m *Property) fields(c *coder) { property(c, m) }

func property(c *coder, p *Property) {
	c.vector("name", &p.Name, 1, 255)
	c.vector("value", &p.Value, 0, 1<<31-1)
}

// Metadata is what READY would carry in the clear.
type Metadata struct {
	Properties []Property
}

func (m *Metadata) fields(c *coder) { elements(c, "properties", &m.Properties, property) }

// RecordHeader stands before every record's ciphertext (spec/records.md).
type RecordHeader struct {
	Type     registry.MessageType
	Flags    uint8
	Epoch    uint16
	StreamID uint32
	Seq      uint64
}

func (m *RecordHeader) fields(c *coder) {
	enumeration(c, "type", &m.Type, func(t registry.MessageType) bool { return t.Plain() || t.Sealed() })
	integer(c, "flags", &m.Flags)
	integer(c, "epoch", &m.Epoch)
	integer(c, "stream_id", &m.StreamID)
	integer(c, "seq", &m.Seq)
}

// HkdfLabel is the info of HKDF-Expand (spec/keyschedule.md).
type HkdfLabel struct {
	Length  uint16
	Label   []byte // 7 to 255 octets, "qzmq1 " among them
	Context []byte // 0 to 255 octets
}

func (m *HkdfLabel) fields(c *coder) {
	integer(c, "length", &m.Length)
	c.vector("label", &m.Label, 7, 255)
	c.vector("context", &m.Context, 0, 255)
}

// Greeting is one side's 64 octets in the zmtp binding (spec/bindings.md).
type Greeting struct {
	SignatureStart uint8
	Padding        []byte // 8 octets
	SignatureEnd   uint8
	VersionMajor   uint8
	VersionMinor   uint8
	Mechanism      []byte // 20 octets
	AsServer       uint8
	Filler         []byte // 31 octets
}

func (m *Greeting) fields(c *coder) {
	integer(c, "signature_start", &m.SignatureStart)
	c.array("padding", &m.Padding, 8)
	integer(c, "signature_end", &m.SignatureEnd)
	integer(c, "version_major", &m.VersionMajor)
	integer(c, "version_minor", &m.VersionMinor)
	c.array("mechanism", &m.Mechanism, 20)
	integer(c, "as_server", &m.AsServer)
	c.array("filler", &m.Filler, 31)
}

// RawFrame is a message in the raw binding.
type RawFrame struct {
	Message []byte // 1 to 2^32-1 octets
}

func (m *RawFrame) fields(c *coder) { c.vector("message", &m.Message, 1, 1<<32-1) }
