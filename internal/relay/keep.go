package relay

// Keep leaves those items on the page that keep, asked by their index, wants. TotalCount still counts the whole list, and HasNextPage
// and HasPreviousPage still tell of it. The page's cursors are those of what is left; where nothing is left, a cursor stays on each
// side that the list goes on at, since nobody could read on without it.
func (c *Connection[T]) Keep(keep func(i int) bool) {
	kept := c.Edges[:0] // the page's own; where nothing is kept its ends stay as they are
	for i, edge := range c.Edges {
		if keep(i) {
			kept = append(kept, edge)
		}
	}
	c.Edges = kept
	if len(kept) > 0 {
		c.bound()
		return
	}
	if !c.PageInfo.HasPreviousPage {
		c.PageInfo.Start = nil
	}
	if !c.PageInfo.HasNextPage {
		c.PageInfo.End = nil
	}
}
