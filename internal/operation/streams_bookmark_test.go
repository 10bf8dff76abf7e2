package operation

import (
	"context"
	"testing"
	"time"
)

// TestABookmarkIsNotAheadOfItsMember holds that an event which the group has taken and not yet handed out is not lost to a member that
// is asked for its bookmark meanwhile, as each is with every ping.
func TestABookmarkIsNotAheadOfItsMember(t *testing.T) {
	r := startRadio(t, nil, 10)
	taken, asked := make(chan struct{}), make(chan struct{})
	open := r.source.Opening
	r.source.Opening = func(ctx context.Context) (context.Context, func(context.Context, bool, string) (Feed, error)) {
		ctx, feedOf := open(ctx)
		return ctx, func(ctx context.Context, resume bool, after string) (Feed, error) {
			feed, err := feedOf(ctx, resume, after)
			next := feed.Next
			feed.Next = func(ctx context.Context) (Item, error) {
				item, err := next(ctx)
				if err == nil {
					taken <- struct{}{}
					<-asked
				}
				return item, err
			}
			return feed, err
		}
	}
	l := newListener(10)
	sub, result := r.join(t, Call{}, l, tick, nil)
	if result != nil {
		t.Fatal(result.Errors)
	}
	r.settled(t, 1)
	r.channel.say(1)
	<-taken
	if got := sub.Bookmark(); got != "0" {
		t.Errorf("the bookmark is %q before the event came", got)
	}
	asked <- struct{}{}
	l.await(t, 1)
	for late := time.Now().Add(10 * time.Second); sub.Bookmark() != "1"; {
		if time.Now().After(late) {
			t.Fatalf("the bookmark stays %q", sub.Bookmark())
		}
	}
	sub.Close()
}
