"""JavaScript's own names: which of them mean here what they mean in a template on Digdag.

Digdag's engine is GraalJS in the mode of ECMAScript 5 with Nashorn's extensions: methods of
java.lang.String show through on strings. What later editions added is not there.
"""


def words(text: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(text.split())


RESERVED = words("""
abstract arguments async await boolean break byte case catch char class const continue debugger
default delete do double else enum eval export extends final finally float for function goto if
implements import in instanceof int interface let long native new of package private protected
public return short static super switch synchronized this throw throws transient try typeof var
void volatile while with yield
""")

# Global names that a template may use; the engine's realm keeps these alone.
GLOBALS = words("""
Array Boolean Date Infinity JSON Math NaN Number Object String decodeURI decodeURIComponent
encodeURI encodeURIComponent escape isFinite isNaN moment parseFloat parseInt print undefined
unescape
""")

USED_BY_MOMENT = words("Error Function RegExp")  # stay too; no template may name them
# Global names that exist on Digdag, or may: no parameter can be meant by them.
UNKNOWN_GLOBALS = words("""
ArrayBuffer Atomics BigInt DataView Error EvalError Float32Array Float64Array Function Graal
Int16Array Int32Array Int8Array JSAdapter Java JavaImporter Map Packages Polyglot Promise Proxy
RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer Symbol SyntaxError TypeError
URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet WebAssembly com
constructor call_python context edu engine exit globalThis hasOwnProperty isPrototypeOf java
javafx javax load loadWithNewGlobal org printErr propertyIsEnumerable quit read readbuffer
readline template toLocaleString toString valueOf
""")
# Left behind by Digdag's own script: not undefined there, even where no parameter has the name.
LEAKED = words("all m match")

# Members that no template may name: they lead to the engine itself, or cannot be removed from it.
UNKNOWN_MEMBERS = words("""
EPSILON MAX_SAFE_INTEGER MIN_SAFE_INTEGER __defineGetter__ __defineSetter__ __lookupGetter__
__lookupSetter__ __proto__ constructor
""")
# Methods of java.lang.String, which show through on Digdag's strings and not on ours; as the key of
# a map they are like any other.
JAVA_MEMBERS = words("""
bytes chars class codePointAt codePointBefore codePointCount codePoints compareTo
compareToIgnoreCase contentEquals copyValueOf describeConstable empty equalsIgnoreCase formatted
getBytes getChars getClass hashCode indent intern isBlank lines matches notify notifyAll
offsetByCodePoints regionMatches replaceFirst resolveConstantDesc strip stripIndent stripLeading
stripTrailing subSequence toCharArray transform translateEscapes wait
""")
# Methods that no template may call: Java's, and those of which it is not certain that they are the
# same, or there at all.
UNKNOWN_METHODS = JAVA_MEMBERS | words("""
getYear localeCompare normalize setYear toExponential toGMTString toLocaleDateString
toLocaleLowerCase toLocaleString toLocaleTimeString toLocaleUpperCase toSource trimEnd trimLeft
trimRight trimStart
""")
# Methods that change an object, which then must not be seen by later code.
CHANGING = words("""
pop push reverse shift sort splice unshift defineLocale relativeTimeRounding relativeTimeThreshold
updateLocale updateOffset
""")
# The members of built-in objects that stay in the realm ...
KEPT = {
    "Array": "isArray prototype",
    "Array.prototype": "concat every filter forEach indexOf join lastIndexOf length map pop push "
    "reduce reduceRight reverse shift slice some sort splice toString unshift constructor",
    "Boolean.prototype": "toString valueOf constructor",
    "Date": "UTC now parse prototype",
    "Date.prototype": "getDate getDay getFullYear getHours getMilliseconds getMinutes getMonth "
    "getSeconds getTime getTimezoneOffset getUTCDate getUTCDay getUTCFullYear getUTCHours "
    "getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds setDate setFullYear setHours "
    "setMilliseconds setMinutes setMonth setSeconds setTime setUTCDate setUTCFullYear "
    "setUTCHours setUTCMilliseconds setUTCMinutes setUTCMonth setUTCSeconds toISOString toJSON "
    "toString valueOf constructor",
    "Function.prototype": "apply bind call length name constructor",
    "JSON": "parse stringify",
    "Math": "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs ceil floor max min pow round sqrt",
    "Number": "MAX_VALUE MIN_VALUE NEGATIVE_INFINITY NaN POSITIVE_INFINITY prototype",
    "Number.prototype": "toFixed toPrecision toString valueOf constructor",
    "Object": "getOwnPropertyNames isFrozen keys prototype",
    "Object.prototype": "hasOwnProperty toString valueOf constructor __proto__",
    "String": "fromCharCode prototype",
    "String.prototype": "charAt charCodeAt concat contains endsWith equals indexOf isEmpty "
    "lastIndexOf length match repeat replace replaceAll search slice split startsWith substr "
    "substring toLowerCase toString toUpperCase trim valueOf constructor",
}
# ... those of later editions, that Digdag does not have, so that a call fails in both; whatever
# else a built-in object has is refused when a template reads it.
ABSENT = {
    "Array": "from fromAsync of",
    "Array.prototype": "at copyWithin entries fill find findIndex findLast findLastIndex flat "
    "flatMap includes keys toReversed toSorted toSpliced values with",
    "Math": "acosh asinh atanh cbrt clz32 cosh expm1 f16round fround hypot imul log10 log1p log2 "
    "sign sinh sumPrecise tanh trunc",
    "Number": "isFinite isInteger isNaN isSafeInteger parseFloat parseInt",
    "Object": "assign entries fromEntries getOwnPropertyDescriptors getOwnPropertySymbols groupBy "
    "hasOwn is values",
    "String": "fromCodePoint",
    "String.prototype": "at includes isWellFormed matchAll padEnd padStart toWellFormed",
}
