package classify

import (
	"strings"
	"testing"

	datasource "moncae/internal/dataset/source"
)

func TestLabelsHaveTheReadersLimit(t *testing.T) {
	if l, err := labelsOf("x.arrow", []int64{0, datasource.MaxClasses - 1}, 2, nil); err != nil || l[1] != datasource.MaxClasses-1 {
		t.Errorf("%v, %v", l, err)
	}
	_, err := labelsOf("x.arrow", []int64{0, datasource.MaxClasses}, 2, nil)
	if want := datasource.CheckClass(datasource.MaxClasses); err == nil || !strings.HasSuffix(err.Error(), want.Error()) {
		t.Errorf("%v, want ... %v", err, want)
	}
}
