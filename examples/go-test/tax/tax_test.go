package tax

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRates(t *testing.T) {
	if diff := cmp.Diff([]int{7, 19}, Rates()); diff != "" {
		t.Error(diff)
	}
}
