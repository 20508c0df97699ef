package main

import (
	"strconv"
	"strings"

	qzmq "qzmq.test/go"
)

// admit answers what a ZAP domain of the suite says.
func admit(domain string) func(qzmq.AdmitRequest) qzmq.AdmitAnswer {
	return func(qzmq.AdmitRequest) qzmq.AdmitAnswer {
		status, _ := strconv.Atoi(strings.Fields(domain)[0])
		return qzmq.AdmitAnswer{Status: status}
	}
}
