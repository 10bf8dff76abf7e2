package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tributary/internal/work/dispatch"
)

// Why a delivery failed: Delivery.Problem. An answer that is no success is STATUS_ and its class, such as STATUS_4XX.
const (
	ProblemTimeout    = "TIMEOUT"
	ProblemConnection = "CONNECTION_FAILED" // the name was not found, nobody listens, or the answer is not HTTP
	ProblemTLS        = "TLS_FAILED"
	ProblemTarget     = "TARGET_NOT_ALLOWED"
	ProblemRedirect   = "REDIRECT"
	ProblemGone       = "GONE"        // 410; of a replay: its endpoint is disabled or removed
	ProblemNotVisible = "NOT_VISIBLE" // the owner may not see the event any more
	ProblemAccount    = ReasonAccount // the account whose rights the endpoint has is frozen or gone
	ProblemCancelled  = "CANCELLED"   // the attempt was cut off on this side
	ProblemInternal   = "INTERNAL"    // the attempt could not be made
)

// maxRetryAfter bounds what a receiver may ask for.
const maxRetryAfter = 24 * time.Hour

// judge tells what an answer means.
func judge(response *http.Response, now time.Time) dispatch.Result {
	result := dispatch.Result{Status: response.StatusCode}
	switch status := response.StatusCode; {
	case status/100 == 2:
		result.Delivered = true
		return result
	case status/100 == 3:
		result.Problem = ProblemRedirect
	case status == http.StatusGone:
		result.Gone, result.Problem = true, ProblemGone
	default:
		result.Problem = "STATUS_" + strconv.Itoa(status/100) + "XX"
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		result.RetryAfter = retryAfter(response.Header.Get("Retry-After"), now)
	}
	return result
}

// retryAfter reads the field Retry-After (RFC 9110, 10.2.3): seconds or a date. 0 for what is neither, or past; at most maxRetryAfter.
func retryAfter(field string, now time.Time) time.Duration {
	field = strings.TrimSpace(field)
	if field != "" && strings.Trim(field, "0123456789") == "" {
		seconds, err := strconv.ParseInt(field, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(field)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// problem tells why there was no answer.
func problem(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, errTarget):
		return ProblemTarget
	case errors.Is(err, context.Canceled):
		return ProblemCancelled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return ProblemTimeout
	case isTLS(err):
		return ProblemTLS
	}
	return ProblemConnection
}

func isTLS(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	operation, ok := errors.AsType[*net.OpError](err)
	return errors.Is(err, http.ErrSchemeMismatch) || verification || record || alert || unknown || host || invalid || (ok && operation.Op == "remote error")
}
