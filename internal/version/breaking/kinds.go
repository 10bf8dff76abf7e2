package breaking

// Kind names what changed. The names are those that graphql-js' findBreakingChanges and findDangerousChanges use, where these
// have one.
type Kind string

// What breaks operations that were valid, or clients generated from the schema, as graphql-js has it.
const (
	TypeRemoved                 Kind = "TYPE_REMOVED"
	TypeChangedKind             Kind = "TYPE_CHANGED_KIND"
	TypeRemovedFromUnion        Kind = "TYPE_REMOVED_FROM_UNION"
	ValueRemovedFromEnum        Kind = "VALUE_REMOVED_FROM_ENUM"
	RequiredInputFieldAdded     Kind = "REQUIRED_INPUT_FIELD_ADDED"
	ImplementedInterfaceRemoved Kind = "IMPLEMENTED_INTERFACE_REMOVED"
	FieldRemoved                Kind = "FIELD_REMOVED"
	FieldChangedKind            Kind = "FIELD_CHANGED_KIND"
	RequiredArgAdded            Kind = "REQUIRED_ARG_ADDED"
	ArgRemoved                  Kind = "ARG_REMOVED"
	ArgChangedKind              Kind = "ARG_CHANGED_KIND"
	DirectiveRemoved            Kind = "DIRECTIVE_REMOVED"
	DirectiveArgRemoved         Kind = "DIRECTIVE_ARG_REMOVED"
	RequiredDirectiveArgAdded   Kind = "REQUIRED_DIRECTIVE_ARG_ADDED"
	DirectiveRepeatableRemoved  Kind = "DIRECTIVE_REPEATABLE_REMOVED"
	DirectiveLocationRemoved    Kind = "DIRECTIVE_LOCATION_REMOVED"
)

// What breaks operations as well, and graphql-js does not look for.
const (
	ArgBecameRequired        Kind = "ARG_BECAME_REQUIRED"         // a non-null argument lost its default value
	InputFieldBecameRequired Kind = "INPUT_FIELD_BECAME_REQUIRED" // a non-null input field lost its default value
	InputBecameOneOf         Kind = "INPUT_BECAME_ONE_OF"         // inputs of several fields are refused
	DirectiveArgChangedKind  Kind = "DIRECTIVE_ARG_CHANGED_KIND"  // of a directive that operations may carry
	RootTypeChanged          Kind = "ROOT_TYPE_CHANGED"           // operations start at another type, though theirs is still there
)

// What breaks no operation, and can surprise a client all the same, as graphql-js has it.
const (
	ValueAddedToEnum          Kind = "VALUE_ADDED_TO_ENUM"
	TypeAddedToUnion          Kind = "TYPE_ADDED_TO_UNION"
	OptionalInputFieldAdded   Kind = "OPTIONAL_INPUT_FIELD_ADDED"
	OptionalArgAdded          Kind = "OPTIONAL_ARG_ADDED"
	ImplementedInterfaceAdded Kind = "IMPLEMENTED_INTERFACE_ADDED"
	ArgDefaultValueChange     Kind = "ARG_DEFAULT_VALUE_CHANGE"
)

// What can surprise a client, and graphql-js does not look for.
const (
	InputFieldDefaultValueChange Kind = "INPUT_FIELD_DEFAULT_VALUE_CHANGE"
	AccessChanged                Kind = "ACCESS_CHANGED" // @authenticated or @requiresScopes of a field
)
