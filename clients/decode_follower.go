package clients

import "github.com/go-faster/jx"

// readFollow reads an edge; null is nil.
func readFollow(d *decoder) (*Follow, error) { return readEntity(d, (*Follow).member) }

func (f *Follow) member(d *decoder, key []byte) error {
	switch string(key) {
	case "followerId":
		return d.id((*string)(&f.FollowerID))
	case "followeeId":
		return d.id((*string)(&f.FolloweeID))
	case "followedAt":
		return d.time(&f.FollowedAt)
	case "version":
		return d.int(&f.Version)
	}
	return d.Skip()
}

// readFollowCounts reads the sizes of a neighbourhood.
func readFollowCounts(d *decoder) (counts FollowCounts, err error) {
	err = d.ObjBytes(func(_ *jx.Decoder, key []byte) error {
		switch string(key) {
		case "followers":
			return d.int(&counts.Followers)
		case "following":
			return d.int(&counts.Following)
		}
		return d.Skip()
	})
	return counts, err
}
