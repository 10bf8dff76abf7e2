package demo

import (
	"strings"
	"unicode/utf8"
)

// writer makes the words of the seed.
type writer struct {
	dice  *dice
	topic topic
}

// topicOf is what a post, and all that is said about it, is about.
func topicOf(post int) topic { return pick(throw("topic", post), topics[:]) }

// fill puts words into a form: {t} a thing, {a} an act, {p} a place, {w} a span of time, {j} a judgement; in capitals,
// at the start of a sentence.
func (w writer) fill(form string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(form, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		slot := rest[0]
		word := w.word(slot | 0x20)
		if slot < 'a' {
			word = capital(word)
		}
		b.WriteString(word)
		form = rest[2:]
	}
}

func (w writer) word(slot byte) string {
	switch slot {
	case 't':
		return pick(w.dice, w.topic.things)
	case 'a':
		return pick(w.dice, w.topic.acts)
	case 'p':
		return pick(w.dice, w.topic.places)
	case 'w':
		return pick(w.dice, spans[:])
	}
	return pick(w.dice, judgements[:])
}

func capital(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:size]) + s[size:]
}

// sentences returns so many different forms, filled, as one paragraph.
func (w writer) sentences(forms []string, n int) string {
	var b strings.Builder
	first, step := w.dice.below(int64(len(forms))), 1+2*w.dice.below(int64(len(forms)/2))
	for i := range int64(n) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.fill(forms[(first+i*step)%int64(len(forms))]))
	}
	return b.String()
}

// person makes up a name and the handle that goes with it, without regard to who has it already.
func person(d *dice) (name, handle string) {
	c := pick(d, cultures[:])
	name = pick(d, c.given) + " " + pick(d, c.family)
	return name, strings.NewReplacer(plainLetters[:]...).Replace(strings.ToLower(name))
}

func (w writer) bio() string {
	return pick(w.dice, trades[:]) + " in " + pick(w.dice, cities[:]) + ". " + w.fill(pick(w.dice, []string{
		"Mostly here for {a}.", "Always {a}, never in a hurry.", "Ask me about {t}.", "Slowly learning {a}.", "Fond of {t}.",
	}))
}
