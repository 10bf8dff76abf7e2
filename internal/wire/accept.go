package wire

import (
	"iter"
	"mime"
	"strconv"
	"strings"
)

const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// negotiate chooses the media type of the answer by the Accept fields of a request as RFC 9110, section 12.5.1, reads them: for
// each type we have, the most specific range counts. JSON is the answer for clients that state no preference; ok is false
// when the client takes neither. It tells beside whether the client takes an event stream.
func negotiate(accept []string) (media string, ok bool, streamed events) {
	field := strings.Join(accept, ",")
	switch field { // what most clients send needs no reading
	case mediaGraphQL:
		return mediaGraphQL, true, eventsNot
	case mediaJSON, "*/*", "":
		return mediaJSON, true, eventsNot
	}
	quality := qualities(field)
	media, ok = negotiateAnswer(field, quality)
	return media, ok, negotiateEvents(quality)
}

func negotiateAnswer(field string, quality map[string]float64) (media string, ok bool) {
	if strings.Trim(field, " \t,") == "" {
		return mediaJSON, true
	}
	graphql, named := qualityOf(mediaGraphQL, quality)
	plain, _ := qualityOf(mediaJSON, quality)
	switch {
	case graphql > plain || (graphql == plain && graphql > 0 && named):
		return mediaGraphQL, true
	case plain > 0:
		return mediaJSON, true
	}
	return "", false
}

// TakesJSON says whether the Accept fields of a request take application/json.
func TakesJSON(accept []string) bool {
	field := strings.Join(accept, ",")
	if strings.Trim(field, " \t,") == "" {
		return true
	}
	q, _ := qualityOf(mediaJSON, qualities(field))
	return q > 0
}

// qualities reads a list of names with weights. Of a name that stands there twice the greater weight counts; what is malformed is
// left out.
func qualities(field string) map[string]float64 {
	quality := map[string]float64{}
	for part := range splitList(field) {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if q, valid := weight(params); valid {
			quality[name] = max(quality[name], q)
		}
	}
	return quality
}

// qualityOf gives the weight that a request's ranges give a media type; named says that it stood there by its own name.
func qualityOf(media string, quality map[string]float64) (q float64, named bool) {
	for _, ranged := range []string{media, "application/*", "*/*"} {
		if q, ok := quality[ranged]; ok {
			return q, ranged == media
		}
	}
	return 0, false
}

// weight reads the q parameter of a range: 1 where there is none, not valid outside of 0 to 1.
func weight(params map[string]string) (q float64, valid bool) {
	given, has := params["q"]
	if !has {
		return 1, true
	}
	q, err := strconv.ParseFloat(given, 64)
	return q, err == nil && q >= 0 && q <= 1
}

// splitList splits a header field at the commas outside of quotes.
func splitList(field string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(field); i++ {
			switch c := field[i]; {
			case c == '\\' && quoted:
				i++ // what it escapes is no quote
			case c == '"':
				quoted = !quoted
			case c == ',' && !quoted:
				if !yield(field[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(field[start:])
	}
}
