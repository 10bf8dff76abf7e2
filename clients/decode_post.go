package clients

import "time"

// postMemory is a post with what it points to.
type postMemory struct {
	Post
	publishedAt time.Time
}

// readPost reads a post; null is nil.
func readPost(d *decoder) (*Post, error) {
	p, err := readEntity(d, (*postMemory).member)
	if p == nil {
		return nil, err
	}
	return &p.Post, err
}

func (p *postMemory) member(d *decoder, key []byte) error {
	switch string(key) {
	case "id":
		return d.id((*string)(&p.ID))
	case "authorId":
		return d.id((*string)(&p.AuthorID))
	case "title":
		return d.text(&p.Title)
	case "body":
		return d.text(&p.Body)
	case "status":
		return readWord(d, &p.Status, PostDraft, PostPublished, PostHidden)
	case "publishedAt":
		p.PublishedAt = unlessNull(d, &p.publishedAt)
		return d.time(&p.publishedAt)
	case "createdAt":
		return d.time(&p.CreatedAt)
	case "updatedAt":
		return d.time(&p.UpdatedAt)
	case "version":
		return d.int(&p.Version)
	}
	return d.Skip()
}
