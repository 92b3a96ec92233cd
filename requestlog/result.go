package requestlog

import (
	"fmt"
	"strconv"
	"time"

	"paddock/policy"
)

// Result says in a few words how a request ended, for tables.
func (e Entry) Result() string {
	switch e.Phase {
	case Running:
		return "Running"
	case Waiting:
		if e.Place > 0 {
			return "Waiting, " + ordinal(e.Place)
		}
		return "Waiting"
	case Cut:
		switch e.CutBy {
		case CutByClient:
			return "Client left"
		case CutByOwner:
			return "Stopped by you"
		case CutByKey:
			return "Key withdrawn"
		case CutBySharing:
			return "Sharing stopped"
		case CutByPause:
			return "Paused"
		case CutByPanic:
			return "Panic"
		case CutByStall:
			return "Client stopped reading"
		case CutByNobody:
		}
		return "Cut off"
	case Done:
		if e.Upstream >= 400 {
			return fmt.Sprintf("Ollama said %d", e.Upstream)
		}
		return "Done"
	case Event:
		return ""
	case Refused, Failed:
	}
	if e.Reason == policy.Allowed {
		if e.Upstream < 400 {
			return "Ollama reported an error" // inside its answer
		}
		return fmt.Sprintf("Ollama said %d", e.Upstream)
	}
	return Words(e.Reason)
}

// ordinal writes a place in a row: 1st, 2nd, 3rd, 4th, 11th, 21st.
func ordinal(n int) string {
	end := "th"
	if tens := n % 100; tens < 11 || tens > 13 {
		switch n % 10 {
		case 1:
			end = "st"
		case 2:
			end = "nd"
		case 3:
			end = "rd"
		}
	}
	return strconv.Itoa(n) + end
}

// Words says a reason in a few words.
func Words(r policy.Reason) string {
	switch r {
	case policy.Allowed:
		return "Allowed"
	case policy.WrongHost:
		return "Wrong host name"
	case policy.PlainHTTP:
		return "Not encrypted"
	case policy.NoKey:
		return "No key"
	case policy.TwoKeys:
		return "Two keys at once"
	case policy.MalformedKey:
		return "Not a key"
	case policy.WrongKey:
		return "Unknown key"
	case policy.SuspendedKey:
		return "Key is suspended"
	case policy.ExpiredKey:
		return "Key has expired"
	case policy.KeyInAddress:
		return "Key in the address"
	case policy.AddressInClear:
		return "Key in the address, not encrypted"
	case policy.TooManyAttempts:
		return "Too many wrong keys"
	case policy.OriginNotAllowed:
		return "Website not allowed"
	case policy.UnclearPath:
		return "Unclear path"
	case policy.UnknownEndpoint:
		return "Unknown endpoint"
	case policy.WrongMethod:
		return "Wrong method"
	case policy.ManagersOnly:
		return "Managers only"
	case policy.OwnerOnly:
		return "Closed to everybody"
	case policy.CloudNotGranted:
		return "Cloud not granted"
	case policy.ModelNotGranted:
		return "Model not granted"
	case policy.BadModel:
		return "Not a model name"
	case policy.UnloadNotGranted:
		return "May not unload"
	case policy.RateLimit:
		return "Too many requests"
	case policy.ConcurrentLimit:
		return "Too many at once"
	case policy.TokenLimit:
		return "Tokens of the day spent"
	case policy.QueueFull:
		return "Queue is full"
	case policy.BadRequest:
		return "Ambiguous request"
	case policy.BadBody:
		return "Unreadable body"
	case policy.BodyTooLarge:
		return "Body too large"
	case policy.BodyTooSlow:
		return "Body too slow"
	case policy.EncodedBody:
		return "Compressed body"
	case policy.Draining:
		return "Sharing was stopping"
	case policy.Paused:
		return "Paused"
	case policy.UpstreamUnanswers:
		return "Ollama did not answer"
	case policy.UpstreamTimeout:
		return "Ollama took too long"
	case policy.InternalFault:
		return "Fault in Paddock"
	}
	return string(r)
}

// Seconds writes a duration as the log shows it: "0.2 s", "12 s", "3 min 5 s".
func Seconds(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Millisecond:
		return "<1 ms"
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 59500*time.Millisecond:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
}
