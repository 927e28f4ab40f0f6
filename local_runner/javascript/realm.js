// Makes the engine's global objects those of a template on Digdag: `kept` members stay, `absent`
// ones are removed, any other is refused when it is read, and so are `java`'s on a string. Dates get the local time of the zone
// whose minutes east of UTC `offsetAt(milliseconds)` tells, null where that is not certain.
(function (global, kept, absent, java, globals, zone, offsetAt) {
    var Native = Date, Message = Error, MINUTE = 60000, DAY = 86400000;
    var utcText = Native.prototype.toUTCString;
    var namesOf = Object.getOwnPropertyNames, describe = Object.getOwnPropertyDescriptor, define = Object.defineProperty;

    function refuse(what) {
        var error = new Message(what);
        error.name = "Unsupported";
        throw error;
    }

    // Dates

    function offset(time) {
        var minutes = isNaN(time) ? 0 : offsetAt(time);
        return minutes === null ? refuse("a local time of this year in " + zone) : minutes * MINUTE;
    }

    function local(date) {
        var time = date.getTime();
        return new Native(time + offset(time));
    }

    function utc(time) {
        if (isNaN(time)) {
            return NaN;
        }
        var around = [offset(time - DAY), offset(time + DAY)];
        var found = around.filter(function (each, at) {
            return offset(time - each) === each && around.indexOf(each) === at;
        });
        return found.length === 1 ? time - found[0] : refuse("a local time that " + zone + " skips or repeats");
    }

    var ISO_DATE = /^\d{4}(-\d\d(-\d\d)?)?$/;
    var ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{3})?)?(Z|[+-]\d\d:\d\d)?$/;

    function parse(text) {
        text = String(text);
        if (!/[0-9]/.test(text)) {
            return NaN;
        }
        var day = new Native(Native.UTC(+text.slice(0, 4), +(text.slice(5, 7) || 1) - 1, +(text.slice(8, 10) || 1)));
        if (!(ISO_DATE.test(text) || ISO_TIME.test(text)) || day.toISOString().indexOf(text.slice(0, 10)) !== 0) {
            refuse("the date '" + text + "', which is not of the form YYYY-MM-DD");
        }
        return Native.parse(/T[^Z+-]*$/.test(text) ? text + "Z" : text);  // ECMAScript 5: no offset is UTC
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
        if (isNaN(this.getTime()) || zone !== "Asia/Tokyo") {  // no other zone's short name was seen
            refuse("the text of a Date");
        }
        return utcText.call(local(this)).replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, "$1 $3 $2 $4 $5 GMT+0900 (JST)");
    };
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

    // java.lang.String's methods, which Digdag's strings have.

    function texts(name, given, count) {
        var all = given.length === count && Array.prototype.every.call(given, function (each) {
            return typeof each === "string";
        });
        return all ? undefined : refuse(name + " with other arguments than " + count + " texts");
    }

    String.prototype.startsWith = function (start) {
        texts("startsWith", arguments, 1);
        return this.slice(0, start.length) === start;
    };
    String.prototype.endsWith = function (end) {
        texts("endsWith", arguments, 1);
        return end.length <= this.length && this.slice(this.length - end.length) === end;
    };
    String.prototype.repeat = function (times) {
        if (arguments.length !== 1 || typeof times !== "number" || times % 1 !== 0 || times < 0 || times > 1000) {
            refuse("repeat with another argument than a number of times");
        }
        return new Array(times + 1).join(this);
    };
    String.prototype.replaceAll = function (from, to) {
        texts("replaceAll", arguments, 2);
        if (from === "" || /[\\^$.|?*+()\[\]{}]/.test(from) || /[\\$]/.test(to)) {
            refuse("replaceAll with a regular expression of Java");
        }
        return this.split(from).join(to);
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
    namesOf(global).forEach(function (name) {
        if (globals.indexOf(name) < 0) {
            delete global[name];
        }
    });
})
