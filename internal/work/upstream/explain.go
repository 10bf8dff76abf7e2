// Package upstream says what failures of the services mean to work that depends on them.
package upstream

import (
	"errors"

	"tributary/clients"
	"tributary/internal/work"
)

// Explain gives a failed call of a service the code and message that callers may see, and says with work.Permanent where trying
// again is of no use: what is not there, refused or in conflict stays so. An outage, an unknown outcome and an answer outside the
// contract are worth another try. Any other error, and nil, comes back as it is.
func Explain(err error) error {
	failed, ok := errors.AsType[*clients.Error](err)
	if !ok {
		return err
	}
	name := failed.Service
	switch failed.Kind {
	case clients.KindNotFound:
		return work.Permanent(work.Explain(err, "NOT_FOUND", "the "+name+" service does not know it"))
	case clients.KindInvalid:
		return work.Permanent(work.Explain(err, "INVALID", "the "+name+" service refuses it"))
	case clients.KindConflict:
		return work.Permanent(work.Explain(err, "CONFLICT", "the "+name+" service has it in another state"))
	case clients.KindUnavailable, clients.KindUnknownOutcome:
		return work.Explain(err, string(reason(failed)), "the "+name+" service gave no usable answer")
	default:
		return work.Explain(err, work.CodeInternal, "the "+name+" service answered against the contract")
	}
}

func reason(failed *clients.Error) clients.Reason {
	if failed.Outage == nil || failed.Outage.Reason == "" {
		return clients.Unavailable
	}
	return failed.Outage.Reason
}

// Is tells whether a call of a service failed in a way.
func Is(err error, kind clients.ErrorKind) bool {
	failed, ok := errors.AsType[*clients.Error](err)
	return ok && failed.Kind == kind
}
