package clients

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// answers of the sizes that the queries of the benchmark ask for, with texts as long as the demo's.
func sampleUsers(n int) []*User {
	users := make([]*User, n)
	for i := range users {
		u := user(UserID(fmt.Sprint("u", i+1)), i+1)
		email, bio := fmt.Sprintf("%s@example.com", u.Handle), "Writes about gardens, and now and then about rain."
		u.Email, u.Bio, u.CreatedAt = &email, &bio, epochStart.Add(time.Duration(i)*time.Hour+123*time.Millisecond)
		users[i] = u
	}
	return users
}

func samplePosts(n int) []*Post {
	posts := make([]*Post, n)
	for i := range posts {
		p := post(PostID(fmt.Sprint("p", i+1)), UserID(fmt.Sprint("u", i%20+1)), 1)
		at := epochStart.Add(time.Duration(i) * time.Minute)
		p.Title, p.Body, p.PublishedAt = "On rain, and what grows after it", strings.Repeat("Some thoughts on rain. ", 8), &at
		posts[i] = p
	}
	return posts
}

func sampleGroups(groups, n int) object {
	pages := object{}
	for i := range groups {
		comments := make([]*Comment, n)
		for j := range comments {
			comments[j] = comment(CommentID(fmt.Sprint("c", i*n+j+1)), PostID(fmt.Sprint("p", i+1)), UserID(fmt.Sprint("u", j+1)), 1)
			comments[j].Body = "I have seen this too, last year in spring."
		}
		pages[fmt.Sprint("p", i+1)] = pageOf(n, comments...)
	}
	return object{"groups": pages}
}

type plainPage[V any] struct {
	Items *[]V    `json:"items"`
	Next  *string `json:"next"`
	Prev  *string `json:"prev"`
	Total int     `json:"total"`
}

type plainGroups struct {
	Groups map[PostID]*plainPage[*Comment] `json:"groups"`
}

// BenchmarkDecode decodes answers, and for comparison has encoding/json decode them.
func BenchmarkDecode(b *testing.B) {
	escaped := samplePosts(100)
	for _, p := range escaped {
		p.Body = strings.Repeat("Some \"thoughts\" on rain.\n", 8)
	}
	for _, c := range []struct {
		name         string
		doc          any
		ours, oracle func([]byte) error
	}{
		{"users", items(sampleUsers(100)...), errOf(read(decodePage, readUser)), errOf(oracleValue[plainPage[*User]])},
		{"posts", items(samplePosts(100)...), errOf(read(decodePage, readPost)), errOf(oracleValue[plainPage[*Post]])},
		{"escaped", items(escaped...), errOf(read(decodePage, readPost)), errOf(oracleValue[plainPage[*Post]])},
		{"comments", sampleGroups(10, 5), errOf(read(decodeGroups[PostID], readComment)), errOf(oracleValue[plainGroups])},
	} {
		body, err := json.Marshal(c.doc)
		if err != nil {
			b.Fatal(err)
		}
		for name, decode := range map[string]func([]byte) error{"jx": c.ours, "json": c.oracle} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					if err := decode(body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// read binds a decoder to the reader of its values.
func read[D, V any](decode func([]byte, reader[V]) (D, error), value reader[V]) func([]byte) (D, error) {
	return func(body []byte) (D, error) { return decode(body, value) }
}

func errOf[D any](decode func([]byte) (D, error)) func([]byte) error {
	return func(body []byte) error {
		_, err := decode(body)
		return err
	}
}
