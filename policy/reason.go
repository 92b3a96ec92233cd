package policy

// Reason is the one reason of a verdict. Its text is stable: it stands in the
// request log and in `paddock log --json`.
type Reason string

// The reasons. A new one must be answered everywhere a switch asks for it.
const (
	Allowed Reason = "allowed"

	WrongHost         Reason = "wrong-host"         // the Host is not one of ours
	PlainHTTP         Reason = "plain-http"         // not encrypted, and the owner asks for TLS
	NoKey             Reason = "no-key"             // no credential at all
	TwoKeys           Reason = "two-keys"           // two different credentials
	MalformedKey      Reason = "malformed-key"      // not a key: shape or checksum
	WrongKey          Reason = "wrong-key"          // a well-formed key that we do not know
	SuspendedKey      Reason = "suspended-key"      //
	ExpiredKey        Reason = "expired-key"        //
	KeyInAddress      Reason = "key-in-address"     // a good key in the address, which it does not allow
	AddressInClear    Reason = "address-in-clear"   // a key in the address where others can read along
	TooManyAttempts   Reason = "too-many-attempts"  // too many bad keys from this address
	OriginNotAllowed  Reason = "origin"             // a web page that nobody allowed
	UnclearPath       Reason = "unclear-path"       // a path that is not spelled canonically
	UnknownEndpoint   Reason = "unknown-endpoint"   //
	WrongMethod       Reason = "wrong-method"       //
	ManagersOnly      Reason = "managers-only"      // a user called a manage endpoint
	OwnerOnly         Reason = "owner-only"         // nobody may call it through the gate
	CloudNotGranted   Reason = "cloud-not-granted"  //
	ModelNotGranted   Reason = "model-not-granted"  // not among the models of the key
	BadModel          Reason = "bad-model"          // not a name that Ollama would take
	UnloadNotGranted  Reason = "unload-not-granted" // a user asked to throw a model out of memory
	RateLimit         Reason = "rate-limit"         // too many requests in the time
	ConcurrentLimit   Reason = "concurrent-limit"   // too many requests of the key run already
	TokenLimit        Reason = "token-limit"        // the tokens of the day are spent
	QueueFull         Reason = "queue-full"         // too many requests of the key wait already
	BadRequest        Reason = "bad-request"        // two Authorization headers, an Upgrade and the like
	BadBody           Reason = "bad-body"           // not one JSON object with at most one model
	BodyTooLarge      Reason = "body-too-large"     //
	BodyTooSlow       Reason = "body-too-slow"      //
	EncodedBody       Reason = "encoded-body"       // Content-Encoding other than identity
	Draining          Reason = "draining"           // sharing is being stopped
	Paused            Reason = "paused"             // the owner takes a break
	UpstreamUnanswers Reason = "upstream-no-answer" // Ollama does not answer: allowed, yet failed
	UpstreamTimeout   Reason = "upstream-timeout"   // Ollama did not answer in time
	InternalFault     Reason = "internal-fault"     // a bug of ours, caught
)

// Reasons lists every reason, for tests that each is produced and worded.
func Reasons() []Reason {
	return []Reason{
		Allowed, WrongHost, PlainHTTP, NoKey, TwoKeys, MalformedKey, WrongKey, SuspendedKey, ExpiredKey, KeyInAddress,
		AddressInClear, TooManyAttempts, OriginNotAllowed, UnclearPath, UnknownEndpoint, WrongMethod, ManagersOnly,
		OwnerOnly, CloudNotGranted, ModelNotGranted, BadModel, UnloadNotGranted, RateLimit, ConcurrentLimit,
		TokenLimit, QueueFull, BadRequest, BadBody, BodyTooLarge, BodyTooSlow, EncodedBody, Draining, Paused, UpstreamUnanswers, UpstreamTimeout, InternalFault,
	}
}

// Verdict is the outcome of the check of one request, with exactly one reason.
type Verdict struct{ Reason Reason }

// OK says whether the request may pass.
func (v Verdict) OK() bool { return v.Reason == Allowed }

// Status is the HTTP status code that the gate answers for this reason, or 0
// for Allowed, where the code is Ollama's. All bad keys get the same 401, so
// that nobody can tell a suspended key from one that never was.
func (r Reason) Status() int {
	switch r {
	case Allowed:
		return 0
	case WrongHost:
		return 421
	case PlainHTTP:
		return 426
	case NoKey, TwoKeys, MalformedKey, WrongKey, SuspendedKey, ExpiredKey, KeyInAddress:
		return 401
	case OriginNotAllowed, ManagersOnly, OwnerOnly, CloudNotGranted, ModelNotGranted, UnloadNotGranted, AddressInClear:
		return 403
	case TooManyAttempts, RateLimit, ConcurrentLimit, TokenLimit:
		return 429
	case UnknownEndpoint:
		return 404
	case WrongMethod:
		return 405
	case UnclearPath, BadRequest, BadBody, BadModel:
		return 400
	case BodyTooSlow:
		return 408
	case BodyTooLarge:
		return 413
	case EncodedBody:
		return 415
	case Draining, QueueFull, Paused:
		return 503
	case UpstreamUnanswers:
		return 502
	case UpstreamTimeout:
		return 504
	case InternalFault:
		return 500
	}
	return 500
}

// Failed says whether the request was let through or accepted and then went
// wrong on this side, rather than being refused.
func (r Reason) Failed() bool {
	switch r {
	case UpstreamUnanswers, UpstreamTimeout, InternalFault:
		return true
	default:
		return false
	}
}
