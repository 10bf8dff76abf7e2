package event

import (
	"context"
	"errors"
	"fmt"
)

// SourceGateway is the source of what the gateway tells of its own work. No service can sign for it.
const SourceGateway = "gateway"

// maxAnnounceTries bounds how often an announcement looks for its place behind others of its subject.
const maxAnnounceTries = 10

// Announce appends an event of the gateway's own behind the last one of its subject: Source, Version and Position of e are set here.
// An event whose ID was announced before is not there twice, so that an announcement can be repeated until it succeeds.
func Announce(ctx context.Context, log Log, e Event) error {
	e.Source, e.Version = SourceGateway, 1
	for try := 1; ; try++ {
		_, err := log.Append(ctx, SourceGateway, []Event{e})
		gap, behind := errors.AsType[*GapError](err)
		if !behind || try == maxAnnounceTries {
			if err != nil {
				return fmt.Errorf("announce %s: %w", e.Type, err)
			}
			return nil
		}
		e.Version = gap.Expected
	}
}
