package calc

import (
	"fmt"
	"testing"
)

func TestAdd(t *testing.T) {
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprintf("nothing to %d", n), func(t *testing.T) {
			if Add(n, 0) != n {
				t.Errorf("%d and nothing is not %d", n, Add(n, 0))
			}
		})
	}
}

// It fails, on purpose.
func TestCarries(t *testing.T) {
	if got := Add(9, 1); got != 11 {
		t.Errorf("9 and 1 is %d", got)
	}
}

func TestAddsOnTheMoon(t *testing.T) {
	t.Skip("nobody is there")
}
