package keyschedule_test

import (
	"fmt"
	"strings"
	"testing"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// TestNothingShows: a stage that is printed shows no secret, whatever the verb (SEC-7).
func TestNothingShows(t *testing.T) {
	h, err := primitive.NewHash(registry.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	stage := keyschedule.NewEarly(h, nil)
	handshake := stage.Handshake([]byte("kem"))
	first := handshake.First()
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		for _, secret := range [][]byte{handshake.Client, first.Exporter, first.Resumption, first.Client} {
			shown := fmt.Sprintf(verb, handshake) + fmt.Sprintf(verb, first) + fmt.Sprintf(verb, &first)
			for _, form := range []string{fmt.Sprintf("%x", secret), fmt.Sprint(secret), string(secret)} {
				if strings.Contains(shown, strings.Trim(form, "[]")) {
					t.Errorf("%s shows %s", verb, shown)
				}
			}
		}
	}
}
