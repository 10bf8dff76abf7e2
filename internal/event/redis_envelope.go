package event

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var errRedisValue = errors.New("event log: Redis holds a value that this version did not write")

// redisEnvelope writes what of an event stays when it is redacted, but for subject and version, which are the key, and the
// position, which the script puts behind it: source/id, sequence, type and time, each behind its length and a colon.
func redisEnvelope(e Event) string {
	var b strings.Builder
	for _, part := range []string{
		e.Source + "/" + e.ID, strconv.FormatInt(e.Sequence, 10), e.Type, e.Time.UTC().Format(time.RFC3339Nano),
	} {
		b.WriteString(strconv.Itoa(len(part)) + ":" + part)
	}
	return b.String()
}

// redisPayload writes what is redacted: the actor behind its length and a colon, and the data.
func redisPayload(e Event) string {
	return strconv.Itoa(len(e.Actor)) + ":" + e.Actor + string(e.Data)
}

// parseRedisEvent puts an event together. The payload is empty when it is redacted.
func parseRedisEvent(subject, version, envelope, payload string) (e Event, err error) {
	var parts [5]string
	for i := range parts {
		if parts[i], envelope, err = cutLength(envelope); err != nil {
			return Event{}, err
		}
	}
	e.Subject, e.Type = subject, parts[2]
	var named bool
	e.Source, e.ID, named = strings.Cut(parts[0], "/")
	var errs [4]error
	e.Version, errs[0] = strconv.ParseInt(version, 10, 64)
	e.Sequence, errs[1] = strconv.ParseInt(parts[1], 10, 64)
	e.Time, errs[2] = time.Parse(time.RFC3339Nano, parts[3])
	e.Position, errs[3] = strconv.ParseInt(parts[4], 10, 64)
	if err := errors.Join(errs[:]...); err != nil || !named {
		return Event{}, errors.Join(errRedisValue, err)
	}
	if payload == "" {
		return e, nil
	}
	data := ""
	if e.Actor, data, err = cutLength(payload); err != nil {
		return Event{}, err
	}
	if data != "" {
		e.Data = []byte(data)
	}
	return e, nil
}

// cutLength takes a part off that stands behind its length and a colon.
func cutLength(text string) (part, rest string, err error) {
	number, rest, ok := strings.Cut(text, ":")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 || n > len(rest) {
		return "", "", errRedisValue
	}
	return rest[:n], rest[n:], nil
}
