// Makes the engine's global objects those of a template on Digdag: `kept` members stay, `absent`
// ones are removed, any other is refused when it is read, and so are `java`'s on a string. Dates get the local time of the zone:
// `standard` minutes east of UTC, more by `summerAt(milliseconds)` minutes, undefined where that is not certain.
(function (global, kept, absent, java, globals, zone, standard, summerAt) {
    var Native = Date, Message = Error, TypeMessage = TypeError, MINUTE = 60000, LAZY = 20;
    var utcText = Native.prototype.toUTCString;
    var namesOf = Object.getOwnPropertyNames, describe = Object.getOwnPropertyDescriptor, define = Object.defineProperty;

    function refuse(what) {
        var error = new Message(what);
        error.name = "Unsupported";
        throw error;
    }

    // Dates

    function offset(time) {
        var minutes = isNaN(time) ? 0 : summerAt(time);
        return minutes === undefined ? refuse("a local time in " + zone + " that Java may take otherwise") : (standard + minutes) * MINUTE;
    }

    function local(date) {
        var time = date.getTime();
        return new Native(time + offset(time));
    }

    function utc(time) {  // ECMAScript 5, 15.9.1.9: also of times that clocks skip or show twice
        return time - offset(time - standard * MINUTE);
    }

    var ISO_DATE = /^\d{4}(-\d\d(-\d\d)?)?$/;
    var ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{3})?)?(Z|[+-]\d\d:?\d\d)?$/;
    var LOCAL_TIME = /^(\d{4})([-\/])(\d\d?)\2(\d\d?)(?: (\d\d):(\d\d)(?::(\d\d))?)?$/;

    function parse(text) {
        text = String(text);
        if (!/[0-9]/.test(text)) {
            return NaN;
        }
        var isIso = ISO_DATE.test(text) || ISO_TIME.test(text), parts = isIso ? text.split(/\D/) : LOCAL_TIME.exec(text) || [];
        var numbers = (isIso ? parts : [parts[1]].concat(parts.slice(3))).map(Number);
        var day = new Native(Native.UTC(numbers[0], (numbers[1] || 1) - 1, numbers[2] || 1));
        if (isNaN(day.getTime()) || day.getUTCDate() !== (numbers[2] || 1)) {
            refuse("the date '" + text + "', which is not of the form YYYY-MM-DD");
        }
        if (isIso) {
            return Native.parse(/T[^Z+-]*$/.test(text) ? text + "Z" : text);  // ECMAScript 5: no offset is UTC
        }
        return utc(day.getTime() + ((numbers[3] || 0) * 60 + (numbers[4] || 0)) * MINUTE + (numbers[5] || 0) * 1000);
    }

    function LocalDate(first) {
        if (!(this instanceof LocalDate)) {
            refuse("Date without new");
        }
        if (arguments.length === 0) {
            return new Native();
        }
        if (arguments.length > 1) {
            return new Native(utc(Native.UTC.apply(null, arguments)));
        }
        var value = typeof first === "object" && first !== null ? first.valueOf() : first;
        if (typeof value === "object" && value !== null) {
            refuse("a Date of a list or an object");
        }
        return new Native(typeof value === "string" ? parse(value) : value);
    }

    LocalDate.UTC = Native.UTC;
    LocalDate.now = Native.now;
    LocalDate.parse = parse;
    LocalDate.prototype = Native.prototype;
    LocalDate.prototype.constructor = LocalDate;
    ["Date", "Day", "FullYear", "Hours", "Milliseconds", "Minutes", "Month", "Seconds"].forEach(function (part) {
        Native.prototype["get" + part] = function () {
            return local(this)["getUTC" + part]();
        };
        Native.prototype["set" + part] = function () {
            var date = local(this);
            date["setUTC" + part].apply(date, arguments);
            return this.setTime(utc(date.getTime()));
        };
    });
    Native.prototype.getTimezoneOffset = function () {
        return -offset(this.getTime()) / MINUTE;
    };
    Native.prototype.toString = function () {
        var offsetText = {"Asia/Tokyo": "+0900 (JST)", "UTC": "+0000 (UTC)"}[zone];  // others' short names were not seen
        if (isNaN(this.getTime()) || !offsetText) {
            refuse("the text of a Date");
        }
        return utcText.call(local(this)).replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, "$1 $3 $2 $4 $5 GMT" + offsetText);
    };
    define(Native.prototype, Symbol.toPrimitive, {value: function (hint) {  // GraalJS: `date + 1` is a number
        return hint === "string" ? this.toString() : this.valueOf();
    }});
    global.Date = LocalDate;

    // Numbers: the last digit of a power may differ between machines, of an integer it does not.

    var pow = Math.pow;
    Math.pow = function (base, exponent) {
        var power = pow(base, exponent);
        var exact = base % 1 === 0 && exponent % 1 === 0 && exponent >= 0 && Math.abs(power) <= 9007199254740992;
        return exact ? power : refuse("Math.pow beyond exact integers");
    };
    var toFixed = Number.prototype.toFixed, numberText = Number.prototype.toString;
    Number.prototype.toFixed = function (digits) {
        return digits > 20 ? refuse("toFixed with more than 20 digits") : toFixed.call(this, digits);
    };
    Number.prototype.toString = function (radix) {
        var decimal = radix === undefined || radix === 10;
        return decimal || this % 1 === 0 && Math.abs(this) <= 9007199254740992
            ? numberText.call(this, radix) : refuse("toString(radix) of a fraction");
    };

    // ECMAScript 5: these take objects alone.

    ["keys", "getOwnPropertyNames", "isFrozen"].forEach(function (name) {
        var native = Object[name];
        Object[name] = function (object) {
            if (object === null || typeof object !== "object" && typeof object !== "function") {
                throw new TypeMessage("Object." + name + " called on non-object");
            }
            return native(object);
        };
    });

    // java.lang.String's methods, which Digdag's strings have: but for what `+` joins to 20 characters or more.

    function texts(receiver, name, given, count) {
        var text = String(receiver);
        if (!Array.prototype.every.call(given, function (each) { return typeof each === "string"; }) || given.length !== count) {
            refuse(name + " with other arguments than " + count + " texts");
        }
        if (text.length >= LAZY && JSON.stringify(global.__params).indexOf(JSON.stringify(text)) < 0) {
            refuse(name + " of a text of " + LAZY + " characters or more that is no parameter's value: there Digdag's `+` may make a text " +
                "without it; use indexOf, slice, or split and join");
        }
        return text;
    }

    String.prototype.startsWith = function (start) {
        return texts(this, "startsWith", arguments, 1).slice(0, start.length) === start;
    };
    String.prototype.endsWith = function (end) {
        var text = texts(this, "endsWith", arguments, 1);
        return end.length <= text.length && text.slice(text.length - end.length) === end;
    };
    String.prototype.contains = function (part) {
        return texts(this, "contains", arguments, 1).indexOf(part) >= 0;
    };
    String.prototype.equals = function (other) {
        return texts(this, "equals", arguments, 1) === other;
    };
    String.prototype.isEmpty = function () {
        return texts(this, "isEmpty", arguments, 0) === "";
    };
    String.prototype.repeat = function (times) {
        if (arguments.length !== 1 || typeof times !== "number" || times % 1 !== 0 || times < 0 || times > 1000) {
            refuse("repeat with another argument than a number of times");
        }
        return new Array(times + 1).join(texts(this, "repeat", [], 0));
    };
    String.prototype.replaceAll = function (from, to) {
        var text = texts(this, "replaceAll", arguments, 2);
        if (from === "" || /[\\^$.|?*+()\[\]{}]/.test(from) || /[\\$]/.test(to)) {
            refuse("replaceAll with a regular expression of Java");
        }
        return text.split(from).join(to);
    };

    // What a template may see

    function words(text) {
        return (text || "").split(" ");
    }

    function refuseToRead(owner, name) {
        define(owner, name, {
            get: function () {
                refuse("the built-in member ." + name);
            },
            set: function (value) {
                define(this, name, {value: value, writable: true, enumerable: true, configurable: true});
            },
            configurable: true
        });
    }

    java.forEach(function (name) {
        refuseToRead(String.prototype, name);
    });
    Object.keys(kept).forEach(function (path) {
        var owner = path.split(".").reduce(function (object, part) {
            return object[part];
        }, global);
        namesOf(owner).forEach(function (name) {
            var found = describe(owner, name);
            if (words(kept[path]).indexOf(name) >= 0 || !found.configurable || found.get && java.indexOf(name) >= 0) {
                return;
            }
            delete owner[name];
            if (words(absent[path]).indexOf(name) < 0) {
                refuseToRead(owner, name);
            }
        });
    });
    // Code of a text: moment asks whether something is a Function, and nobody may make one.
    var maker = Function.prototype;
    global.Function = function () {
        refuse("the Function constructor");
    };
    global.Function.prototype = maker;
    delete maker.constructor;
    refuseToRead(maker, "constructor");
    namesOf(global).forEach(function (name) {
        if (globals.indexOf(name) < 0) {
            delete global[name];
        }
    });
})
