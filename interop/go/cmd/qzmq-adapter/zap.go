package main

import (
	"fmt"
	"strconv"

	qzmq "qzmq.test/go"
)

// userID is what the suite expects an admitted client to be called.
const userID = "judged"

// admit answers what a ZAP domain of the suite says: a status, or nothing at all.
func admit(domain string) (func(qzmq.AdmitRequest) qzmq.AdmitAnswer, error) {
	if domain == "silent" {
		return func(qzmq.AdmitRequest) qzmq.AdmitAnswer { select {} }, nil
	}
	status, err := strconv.Atoi(domain)
	if err != nil {
		return nil, fmt.Errorf("ZAP domain: %w", err)
	}
	return func(qzmq.AdmitRequest) qzmq.AdmitAnswer {
		return qzmq.AdmitAnswer{Status: status, UserID: userID}
	}, nil
}
