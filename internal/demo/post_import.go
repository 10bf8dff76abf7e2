package demo

import "encoding/json"

// postImports are the rules of posts.ndjson.
func postImports() importRules {
	return importRules{
		file: "posts.ndjson", live: "deleted = 0",
		columns: []string{"author_id", "status", "created_at", "version", "doc"},
		id:      entityID, read: readPostLine,
	}
}

func readPostLine(c *checker, stands standing, now stamp) stagedRow {
	c.only("id", "authorId", "title", "body", "status", "publishedAt", "createdAt", "updatedAt", "version")
	before := post{Status: postPublished}
	if stands.doc != "" && json.Unmarshal([]byte(stands.doc), &before) != nil {
		c.fail("id", "INVALID", "cannot be read in the store")
	}
	p := before
	p.ID, p.AuthorID, p.CreatedAt = c.id("id"), c.id("authorId"), c.time("createdAt")
	p.readText(c, true)
	if c.has("status") {
		p.Status = c.oneOf("status", postDraft, postPublished, postHidden)
	}
	if c.has("publishedAt") {
		p.PublishedAt = nil
		if !c.isNull("publishedAt") {
			at := c.time("publishedAt")
			p.PublishedAt = &at
		}
	}
	switch {
	case p.Status == postPublished && p.PublishedAt == nil:
		p.PublishedAt = &p.CreatedAt
	case p.Status == postDraft && p.PublishedAt != nil:
		c.fail("publishedAt", "INVALID", "cannot stand on a draft")
	}
	updated, version := c.origin(p.CreatedAt)
	changed := p.doc() != before.doc()
	switch {
	case stands.version == 0:
		p.UpdatedAt, p.Version = updated, version
	case changed:
		p.Version++
		if p.UpdatedAt = now; c.has("updatedAt") {
			p.UpdatedAt = updated
		}
	}
	return stagedRow{id: p.ID, changed: changed, values: []any{p.AuthorID, p.Status, int64(p.CreatedAt), p.Version, p.doc()}}
}
