using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// The field lines of one message in the order in which they came (RFC 9110, 5.2 and 5.3). Names are compared without case. Not thread-safe
/// while it is changed.
/// </summary>
internal sealed class HeaderFields : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _lines = [];

    /// <summary>Lines in it.</summary>
    public int Count => _lines.Count;

    /// <summary>The fields of a request.</summary>
    public static HeaderFields Of(IHeaderDictionary headers)
    {
        var fields = new HeaderFields();
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in headers)
        {
            foreach (string? value in values)
            {
                fields.Add(name, value ?? "");
            }
        }

        return fields;
    }

    /// <summary>A copy that can be changed alone.</summary>
    public HeaderFields Copy()
    {
        var copy = new HeaderFields();
        copy._lines.AddRange(_lines);
        return copy;
    }

    /// <summary>Adds a line at the end.</summary>
    public void Add(string name, string value) => _lines.Add(new(name, value));

    /// <summary>Puts one line in the place of all of that name.</summary>
    public void Set(string name, string value)
    {
        Remove(name);
        Add(name, value);
    }

    /// <summary>Removes all lines of that name.</summary>
    public void Remove(string name) => _lines.RemoveAll(line => Is(line.Key, name));

    /// <summary>Removes all lines of these names.</summary>
    public void Remove(IReadOnlyCollection<string> names)
    {
        if (names.Count > 0)
        {
            var all = names.ToHashSet(StringComparer.OrdinalIgnoreCase);
            _lines.RemoveAll(line => all.Contains(line.Key));
        }
    }

    /// <summary>Is there a line of that name?</summary>
    public bool Has(string name) => First(name) is not null;

    /// <summary>The value of the first line of that name; null: there is none.</summary>
    public string? First(string name)
    {
        foreach ((string key, string value) in _lines)
        {
            if (Is(key, name))
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>The value, if there is exactly one line of that name: what stands twice where one is allowed says nothing.</summary>
    public string? Only(string name)
    {
        string? only = null;
        foreach ((string key, string value) in _lines)
        {
            if (Is(key, name))
            {
                if (only is not null)
                {
                    return null;
                }

                only = value;
            }
        }

        return only;
    }

    /// <summary>All lines of that name as one list (RFC 9110, 5.3); null: there is none.</summary>
    public string? Joined(string name)
    {
        string? first = null;
        StringBuilder? joined = null; // each line is copied once, however many there are
        foreach ((string key, string value) in _lines)
        {
            if (!Is(key, name))
            {
                continue;
            }

            if (first is null)
            {
                first = value;
            }
            else
            {
                joined ??= new StringBuilder(first);
                joined.Append(", ").Append(value);
            }
        }

        return joined?.ToString() ?? first;
    }

    /// <summary>The members of a list of tokens, trimmed and in lower case, empty ones left out.</summary>
    [SuppressMessage("Globalization", "CA1308", Justification = "Field names are compared in lower case.")]
    public string[] Tokens(string name) => Joined(name) is { } list
        ? [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(token =>
            token.ToLowerInvariant())]
        : [];

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _lines.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
