"""JavaScript's own names: an expression that uses one is refused, for it is no parameter.

Digdag's engine is GraalJS, ECMAScript 5 with Nashorn's extensions: methods of java.lang.String
show through on strings. `last_job` and its like are what td> stores on Treasure Data.
"""

_RESERVED = """
abstract arguments async await boolean break byte case catch char class const continue debugger
default delete do double else enum eval export extends final finally float for function goto if
implements import in instanceof int interface let long native new of package private protected
public return short static super switch synchronized this throw throws transient try typeof var
void volatile while with yield
"""

_GLOBALS = """
Array ArrayBuffer Atomics BigInt Boolean code com console constructor context DataView Date
decodeURI decodeURIComponent edu encodeURI encodeURIComponent engine Error escape EvalError exit
Float32Array Float64Array Function globalThis Graal hasOwnProperty Infinity Int16Array
Int32Array Int8Array Intl isFinite isNaN isPrototypeOf Java java javafx JavaImporter javax
JSAdapter JSON load loadWithNewGlobal Map Math moment NaN native Number Object org Packages
params parseFloat parseInt Polyglot print printErr Promise propertyIsEnumerable Proxy quit
RangeError read readbuffer readline ReferenceError Reflect RegExp Set SharedArrayBuffer String
Symbol SyntaxError template toLocaleString toString TypeError Uint16Array Uint32Array Uint8Array
Uint8ClampedArray unescape URIError valueOf variables WeakMap WeakSet WebAssembly
"""

_MEMBERS = """
__defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ __proto__ anchor apply at
big bind blank blink bold bytes call callee caller charAt charCodeAt chars class codePointAt
codePointBefore codePointCount codePoints compareTo compareToIgnoreCase concat constructor
contains contentEquals copyValueOf copyWithin describeConstable empty endsWith entries equals
equalsIgnoreCase every fill filter find findIndex fixed flat flatMap fontcolor fontsize forEach
format formatted getBytes getChars getClass hashCode hasOwnProperty includes indent indexOf
intern isBlank isEmpty isPrototypeOf italics join keys last_job last_job_id last_results
lastIndexOf lines link localeCompare map match matchAll matches normalize notify notifyAll
offsetByCodePoints padEnd padStart pop propertyIsEnumerable prototype push reduce reduceRight
regionMatches repeat replace replaceAll replaceFirst resolveConstantDesc reverse search shift
slice small some sort splice split startsWith strike strip stripIndent stripLeading
stripTrailing sub subSequence substr substring sup toArray toCharArray toExponential toFixed
toJSON toLocaleLowerCase toLocaleString toLocaleUpperCase toLowerCase toPrecision toSource
toString toUpperCase transform translateEscapes trim trimEnd trimLeft trimRight trimStart
unshift valueOf values wait
"""

RESERVED = frozenset(_RESERVED.split())
GLOBALS = frozenset(_GLOBALS.split())
FORBIDDEN_MEMBERS = frozenset(_MEMBERS.split())
