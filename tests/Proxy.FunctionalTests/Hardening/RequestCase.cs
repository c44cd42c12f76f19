using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>One line of <c>request-cases.tsv</c>: bytes for a connection and the answers that may come.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">The RFC and section.</param>
/// <param name="Alternatives">Each a list of answers that may come.</param>
/// <param name="Template">The bytes as written in the table.</param>
internal sealed partial record RequestCase(string Name, string Source, IReadOnlyList<ExpectedAnswers> Alternatives, string Template)
{
    /// <summary>The whole table.</summary>
    public static IReadOnlyList<RequestCase> All { get; } =
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Hardening", "request-cases.tsv"))
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(Parse)];

    /// <summary>A path that no case may reach.</summary>
    public static string EvilPath => "/cvmfs/tiny.example.org/.cvmfs_smuggled";

    /// <summary>The bytes on the wire.</summary>
    /// <param name="document">Path of a document that exists.</param>
    /// <param name="objectPath">Path below the repository of an object that exists.</param>
    public byte[] ToBytes(string document, string objectPath)
    {
        int evilLength = $"GET {EvilPath} HTTP/1.1\r\nHost: localhost\r\n\r\n".Length;
        string text = Template
            .Replace("{DOC}", document, StringComparison.Ordinal)
            .Replace("{OBJPATH}", objectPath, StringComparison.Ordinal)
            .Replace("{OBJ}", "/cvmfs/tiny.example.org/" + objectPath, StringComparison.Ordinal)
            .Replace("{EVIL}", EvilPath, StringComparison.Ordinal)
            .Replace("{EVILLENGTH}", evilLength.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        text = Repeat()
            .Replace(text,
            m => string.Concat(Enumerable.Repeat(m.Groups[1].Value, int.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture))));
        text = text.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes(Escape().Replace(text, m => m.Value[1] switch
        {
            'r' => "\r",
            'n' => "\n",
            't' => "\t",
            '0' => "\0",
            'x' => ((char)Convert.ToInt32(m.Value[2..], 16)).ToString(),
            _ => "\\",
        }));
    }

    private static RequestCase Parse(string line)
    {
        string[] columns = line.Split('\t');
        return columns.Length == 4
            ? new RequestCase(columns[0], columns[1], [.. columns[2].Split('|').Select(ExpectedAnswers.Parse)], columns[3])
            : throw new InvalidDataException($"Four columns are wanted: {line}");
    }

    [GeneratedRegex(@"\{([^{}]+?)\*(\d+)\}")]
    private static partial Regex Repeat();

    [GeneratedRegex(@"\\(x[0-9a-f]{2}|[rnt0\\])")]
    private static partial Regex Escape();
}
