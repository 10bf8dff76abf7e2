package clients

// userMemory is a user with what it points to.
type userMemory struct {
	User
	email, bio, avatarURL string
}

// readUser reads a user; null is nil.
func readUser(d *decoder) (*User, error) {
	u, err := readEntity(d, (*userMemory).member)
	if u == nil {
		return nil, err
	}
	return &u.User, err
}

func (u *userMemory) member(d *decoder, key []byte) error {
	switch string(key) {
	case "id":
		return d.id((*string)(&u.ID))
	case "handle":
		return d.text(&u.Handle)
	case "name":
		return d.text(&u.Name)
	case "email":
		u.Email = unlessNull(d, &u.email)
		return d.text(&u.email)
	case "bio":
		u.Bio = unlessNull(d, &u.bio)
		return d.text(&u.bio)
	case "avatarUrl":
		u.AvatarURL = unlessNull(d, &u.avatarURL)
		return d.text(&u.avatarURL)
	case "status":
		return readWord(d, &u.Status, UserActive, UserFrozen)
	case "createdAt":
		return d.time(&u.CreatedAt)
	case "updatedAt":
		return d.time(&u.UpdatedAt)
	case "version":
		return d.int(&u.Version)
	}
	return d.Skip()
}
