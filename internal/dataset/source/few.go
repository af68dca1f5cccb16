package source

import (
	"fmt"
	"strings"
)

// Few are the first of many names, for an error of one line.
func Few(names []string) string {
	const most = 12
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, … (%d in all)", strings.Join(names[:most], ", "), len(names))
}
