package rest

import "encoding/json"

// The documents of users. They are good in every version: they hold nothing that has come or goes with one.
const (
	documentUsers = `query RestUsers($first: Int!, $after: String, $order: ListOrder!) {
  users(first: $first, after: $after, orderBy: $order) {
    items: nodes { id handle name bio avatarUrl createdAt }
    page: pageInfo { more: hasNextPage end: endCursor }
    total: totalCount
  }
}`
	documentUserByHandle = `query RestUserByHandle($handle: String!) {
  user(handle: $handle) { id handle name bio avatarUrl createdAt }
}`
	documentUser = `query RestUser($id: ID!) {
  user(id: $id) { id handle name email bio avatarUrl createdAt updatedAt }
}`
)

const (
	standardUsers = 20
	wrongID       = "id must be that of a user, such as user_u1."
)

// wrongCursor is the detail of a cursor that is none.
func wrongCursor(parameter string) string { return parameter + " must be the next of another page." }

// page is a part of a list. Next is what to send for the part behind it, null on the last one.
type page struct {
	Items json.RawMessage `json:"items"`
	Next  *string         `json:"next"`
	Total int             `json:"total"` // of the whole list
}

// UnmarshalJSON reads a connection whose members have the names that the documents give them.
func (p *page) UnmarshalJSON(raw []byte) error {
	var connection struct {
		Items json.RawMessage
		Page  struct {
			More bool
			End  *string
		}
		Total int
	}
	if err := json.Unmarshal(raw, &connection); err != nil {
		return err
	}
	*p = page{Items: connection.Items, Total: connection.Total}
	if connection.Page.More {
		p.Next = connection.Page.End
	}
	return nil
}

// usersBody is the answer of GET /api/users.
type usersBody struct {
	page
	marks
}

// userBody is the answer of GET /api/users/{id}.
type userBody struct {
	ID        string  `json:"id"`
	Handle    string  `json:"handle"`
	Name      string  `json:"name"`
	Email     *string `json:"email"`
	Bio       *string `json:"bio"`
	AvatarURL *string `json:"avatarUrl"`
	CreatedAt string  `json:"createdAt"`
	UpdatedAt string  `json:"updatedAt"`
	marks
}

func askUser(id string, _ parameters) (question, error) {
	return question{
		document: documentUser, variables: map[string]any{"id": id}, root: "user",
		blame: map[string]*parameterError{"": {"id", wrongID}}, shape: shaped[userBody],
	}, nil
}

func askUsers(_ string, given parameters) (question, error) {
	if handle, ok := given["handle"]; ok {
		return askHandle(handle, given)
	}
	first, err := given.limit("limit", standardUsers)
	if err != nil {
		return question{}, err
	}
	orders := map[string]string{"": "NEWEST_FIRST", "newest": "NEWEST_FIRST", "oldest": "OLDEST_FIRST"}
	order, ok := orders[given["order"]]
	if !ok {
		return question{}, &parameterError{"order", "order must be newest or oldest."}
	}
	return question{
		document: documentUsers, variables: map[string]any{"first": first, "after": given.cursor("after"), "order": order}, root: "users",
		blame: map[string]*parameterError{"": {"after", wrongCursor("after")}}, shape: shaped[usersBody],
	}, nil
}

// askHandle asks for the list of those who have a handle: one user or none.
func askHandle(handle string, given parameters) (question, error) {
	if len(given) > 1 {
		return question{}, &parameterError{"handle", "handle finds one user: leave limit, after and order out."}
	}
	return question{
		document: documentUserByHandle, variables: map[string]any{"handle": handle}, root: "user", at: "/items/0",
		blame: map[string]*parameterError{"/items/0": {"handle", "handle must be that of a user."}},
		shape: func(root json.RawMessage) (body, error) {
			return &usersBody{page: page{Items: append(append(json.RawMessage{'['}, root...), ']'), Total: 1}}, nil
		},
		none: &usersBody{page: page{Items: json.RawMessage("[]")}},
	}, nil
}
