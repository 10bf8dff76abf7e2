package clients

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// FuzzDecodersAgree gives arbitrary bodies to the decoders and to encoding/json.
func FuzzDecodersAgree(f *testing.F) {
	for _, body := range oddAnswers() {
		if len(body) < 2000 {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { agree(t, body) })
}

// TestDrawnAnswersAgree draws answers whose parts are mostly of the right kind.
func TestDrawnAnswersAgree(t *testing.T) {
	decoded := 0
	rapid.Check(t, func(t *rapid.T) {
		body := drawAnswer(t)
		agree(t, []byte(body))
		if _, err := decodeGroups[UserID]([]byte(body), readPost); err == nil {
			decoded++
		}
	})
	if decoded == 0 {
		t.Error("no answer was right")
	}
}

// drawn draws one of some texts.
func drawn(t *rapid.T, label string, texts ...string) string {
	return rapid.SampledFrom(texts).Draw(t, label)
}

// drawOdd draws whatever may stand where something else belongs, seldom.
func drawOdd(t *rapid.T, usual func() string) string {
	if rapid.IntRange(0, 60).Draw(t, "odd") > 0 {
		return usual()
	}
	return drawn(t, "instead", "null", "null", "5", "-0", "1.5", "true", `""`, `"x"`, "[]", "{}", `[{"id":null}]`, `{"items":[]}`, `"\ud800"`, "\"\xff\"", "", "nul", "{")
}

func drawAnswer(t *rapid.T) string {
	list := func() string { return drawList(t) }
	switch rapid.IntRange(0, 4).Draw(t, "answer") {
	case 0:
		return drawEntity(t)
	case 1:
		return drawMembers(t, func() (string, string) {
			return drawn(t, "name", "counts", "counts", "more"), drawMembers(t, func() (string, string) {
				return drawn(t, "key", "a", "b", "", "é"), drawOdd(t, func() string { return drawn(t, "count", "0", "7", "-1", "null", `{"followers":1,"following":2}`) })
			})
		})
	case 2:
		return drawPage(t, list)
	}
	return drawMembers(t, func() (string, string) {
		return drawn(t, "name", "groups", "groups", "more"), drawOdd(t, func() string {
			return drawMembers(t, func() (string, string) {
				return drawn(t, "key", "a", "b", "c", "é"), drawOdd(t, func() string { return drawPage(t, list) })
			})
		})
	})
}

// drawMembers draws an object, with members that come twice.
func drawMembers(t *rapid.T, member func() (name, value string)) string {
	var members []string
	for range rapid.IntRange(0, 5).Draw(t, "members") {
		name, value := member()
		quoted, _ := json.Marshal(name)
		members = append(members, drawSpace(t)+string(quoted)+drawSpace(t)+":"+value)
	}
	return drawSpace(t) + "{" + strings.Join(members, ",") + drawSpace(t) + "}" + drawSpace(t)
}

func drawSpace(t *rapid.T) string { return drawn(t, "space", "", "", "", "", " ", "\n\t\r ") }

func drawPage(t *rapid.T, list func() string) string {
	return drawMembers(t, func() (string, string) {
		switch name := drawn(t, "name", "items", "items", "next", "prev", "total", "more"); name {
		case "items", "more":
			return name, drawOdd(t, list)
		case "total":
			return name, drawOdd(t, func() string { return drawn(t, "total", "0", "12", "-3", "99999999999") })
		default:
			return name, drawOdd(t, func() string { return drawn(t, "cursor", "null", `"abc"`) })
		}
	})
}

func drawList(t *rapid.T) string {
	var elements []string
	for range rapid.IntRange(0, 4).Draw(t, "elements") {
		elements = append(elements, drawOdd(t, func() string { return drawEntity(t) }))
	}
	return drawSpace(t) + "[" + strings.Join(elements, ","+drawSpace(t)) + "]" + drawSpace(t)
}

func drawEntity(t *rapid.T) string {
	return drawMembers(t, func() (string, string) {
		switch name := drawn(t, "name", contractNames[6:]...); name {
		case "createdAt", "updatedAt", "publishedAt", "followedAt":
			return name, drawOdd(t, func() string {
				return drawn(t, "time", "null", `"2025-01-01T00:00:00Z"`, `"2024-02-29T23:59:59.123Z"`, `"2025-06-30T12:00:00.000000001+05:30"`)
			})
		case "version", "followers", "following":
			return name, drawOdd(t, func() string { return drawn(t, "number", "0", "1", "42", "-7", "9223372036854775807") })
		case "status":
			return name, drawOdd(t, func() string {
				return drawn(t, "status", `"active"`, `"frozen"`, `"draft"`, `"published"`, `"hidden"`, `"deleted"`, `"\u0061ctive"`, `"other"`)
			})
		default:
			return name, drawOdd(t, func() string { return drawText(t) })
		}
	})
}

func drawText(t *rapid.T) string {
	switch rapid.IntRange(0, 3).Draw(t, "kind of text") {
	case 0:
		return drawn(t, "text", "null", `""`, `"\ud83d\ude00\n"`, `"\ud800\ud800\udc00"`, "\"\xffé\xe4\"", `"a\"b\\c\/d"`, `"\u0000"`)
	case 1:
		return `"` + drawn(t, "id", "a", "u1", "0b7c", "A-b.c_~") + `"`
	}
	quoted, _ := json.Marshal(rapid.StringN(0, 12, -1).Draw(t, "text"))
	return string(quoted)
}
