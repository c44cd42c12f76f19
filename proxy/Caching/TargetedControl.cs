using System.Globalization;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// The <c>CDN-Cache-Control</c> field: targeted cache control (RFC 9213), a dictionary of structured fields (RFC 8941, 3.2). A field that
/// is not valid is ignored as a whole. Pure.
/// </summary>
internal sealed class TargetedControl
{
    private static readonly string[] s_seconds = ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"];

    private readonly Dictionary<string, object> _members = [];

    private TargetedControl()
    {
    }

    /// <summary>Parses the field of a message. Null: absent, empty or not valid.</summary>
    public static TargetedControl? Of(HeaderFields fields) => fields.Joined("CDN-Cache-Control") is { } text ? Parse(text) : null;

    /// <summary>Parses the field's value. Null: empty or not valid.</summary>
    public static TargetedControl? Parse(string text)
    {
        var control = new TargetedControl();
        var scanner = new StructuredScanner(text);
        scanner.SkipSpaces();
        do
        {
            if (!scanner.TryKey(out string name) || !scanner.TryMember(out object value))
            {
                return null;
            }

            control._members[name] = value;
        }
        while (scanner.TryComma());
        bool isValid = scanner.IsAtEnd && Array.TrueForAll(s_seconds, name =>
            !control._members.TryGetValue(name, out object? value) || value is long);
        return isValid ? control : null;
    }

    /// <summary>Is it there, and not false?</summary>
    public bool Has(string name) => _members.TryGetValue(name, out object? value) && value is not false;

    /// <summary>Its seconds; null: absent. A negative number is none at all.</summary>
    public long? Seconds(string name) => _members.TryGetValue(name, out object? value) && value is long seconds
        ? Math.Clamp(seconds, 0, CacheDirectives.MaxSeconds) : null;

    /// <summary>Reads the grammar of RFC 8941 from left to right.</summary>
    private ref struct StructuredScanner(string text)
    {
        private int _at;

        public readonly bool IsAtEnd => _at == text.Length;

        private readonly char Next => _at < text.Length ? text[_at] : '\0';

        public void SkipSpaces()
        {
            while (Next == ' ')
            {
                _at++;
            }
        }

        /// <summary>A comma with a member behind it. False: there is none; then this must be the end.</summary>
        public bool TryComma()
        {
            SkipBlanks();
            if (Next != ',')
            {
                return false;
            }

            _at++;
            SkipBlanks();
            return true;
        }

        public bool TryKey(out string key)
        {
            int start = _at;
            if (Next is '*' or (>= 'a' and <= 'z'))
            {
                while (Next is '_' or '-' or '.' or '*' or (>= 'a' and <= 'z') or (>= '0' and <= '9'))
                {
                    _at++;
                }
            }

            key = text[start.._at];
            return key.Length > 0;
        }

        public bool TryMember(out object value)
        {
            value = true;
            if (Next == '=')
            {
                _at++;
                if (!TryBareItem(out value))
                {
                    return false;
                }
            }

            while (Next == ';')
            {
                _at++;
                SkipSpaces();
                if (!TryKey(out _))
                {
                    return false;
                }

                if (Next == '=')
                {
                    _at++;
                    if (!TryBareItem(out _))
                    {
                        return false;
                    }
                }
            }

            return true;
        }

        private void SkipBlanks()
        {
            while (Next is ' ' or '\t')
            {
                _at++;
            }
        }

        private bool TryBareItem(out object value)
        {
            value = "";
            switch (Next)
            {
                case '-' or (>= '0' and <= '9'):
                    return TryNumber(out value);
                case '"':
                    return TryString();
                case '?':
                    value = _at + 1 < text.Length && text[_at + 1] == '1';
                    bool isBoolean = _at + 1 < text.Length && text[_at + 1] is '0' or '1';
                    _at += 2;
                    return isBoolean;
                case ':':
                    int end = text.IndexOf(':', _at + 1);
                    _at = end + 1;
                    return end > 0;
                case '*' or (>= 'a' and <= 'z') or (>= 'A' and <= 'Z'):
                    while (Next is ':' or '/' || (Next != '\0' && Requests.FieldGrammar.IsToken([Next])))
                    {
                        _at++;
                    }

                    return true;
                default:
                    return false;
            }
        }

        /// <summary>An integer is a long, a decimal is a double.</summary>
        private bool TryNumber(out object value)
        {
            int start = _at;
            _at += Next == '-' ? 1 : 0;
            int digits = SkipDigits();
            value = "";
            if (digits is 0 or > 15)
            {
                return false;
            }

            if (Next != '.')
            {
                value = long.Parse(text.AsSpan(start, _at - start), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                return true;
            }

            _at++;
            value = 0.0;
            return digits <= 12 && SkipDigits() is > 0 and <= 3;
        }

        private int SkipDigits()
        {
            int start = _at;
            while (char.IsAsciiDigit(Next))
            {
                _at++;
            }

            return _at - start;
        }

        private bool TryString()
        {
            for (_at++; _at < text.Length; _at++)
            {
                switch (text[_at])
                {
                    case '"':
                        _at++;
                        return true;
                    case '\\' when _at + 1 < text.Length && text[_at + 1] is '"' or '\\':
                        _at++;
                        break;
                    case '\\' or < ' ' or > '~':
                        return false;
                }
            }

            return false;
        }
    }
}
