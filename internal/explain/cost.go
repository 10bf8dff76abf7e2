package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"tributary/internal/limit"
)

// WriteCost prints what an operation may cost and did cost, in points, and which fields make up the estimate. Fields without a
// cost are left out.
func WriteCost(w io.Writer, requested, actual int64, fields []limit.FieldCost) error {
	if _, err := fmt.Fprintf(w, "\ncost: %d points, at most %d expected\n", actual, requested); err != nil {
		return err
	}
	return writeFields(w, fields)
}

func writeFields(w io.Writer, fields []limit.FieldCost) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, field := range fields {
		if field.RequestedTotalCost > 0 {
			fmt.Fprintf(table, "%d\t  %s\n", field.RequestedTotalCost, strings.Join(field.Path, "."))
		}
	}
	return table.Flush()
}
