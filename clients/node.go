package clients

// Node is everything with a global id: *User, *Post or *Comment.
type Node interface{ IsNode() }

// ActivityItem is something a user did: *Post or *Comment.
type ActivityItem interface{ IsActivityItem() }

// The entities say where on the graph they may stand.
func (*User) IsNode()            {}
func (*Post) IsNode()            {}
func (*Post) IsActivityItem()    {}
func (*Comment) IsNode()         {}
func (*Comment) IsActivityItem() {}

// IsDeleted says whether the comment only keeps the place of its replies.
func (c *Comment) IsDeleted() bool { return c.Status == CommentDeleted }
