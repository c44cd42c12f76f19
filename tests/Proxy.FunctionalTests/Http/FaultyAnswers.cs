using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>
/// An origin's answers for <c>/f/number</c>, each with a fault until it is told to be well. The seed decides contents, faults and how each
/// is made.
/// </summary>
internal sealed class FaultyAnswers(int seed)
{
    /// <summary>The faults.</summary>
    public static readonly string[] Kinds =
    [
        "cut", "cut chunks", "short", "long", "long chunks", "lying range", "other range", "shifted", "less", "two ranges", "no total",
        "unknown coding", "two lengths", "length and chunks", "bad chunk", "no answer", "half a head", "unasked 304", "left over",
        "two answers",
    ];

    private static readonly string[] s_ofRanges = ["lying range", "other range", "shifted", "less", "two ranges", "no total"];

    private readonly byte[] _bytes = new SyntheticObject(80_000).Bytes;
    private readonly bool[] _isWell = new bool[1_000_000];
    private readonly ConcurrentDictionary<int, bool> _met = [];

    /// <summary>How many URLs have had a faulty answer: a lie about a range is none where nobody asked for one.</summary>
    public int Met => _met.Count;

    /// <summary>Which fault its first answers have.</summary>
    public string Kind(int number) => Kinds[Dice(number, 1).Next(Kinds.Length)];

    /// <summary>The right bytes.</summary>
    public ReadOnlyMemory<byte> Content(int number)
    {
        Random dice = Dice(number, 2);
        return _bytes.AsMemory(dice.Next(70_000), dice.Next(2, 3_000));
    }

    /// <summary>From now on its answers are right.</summary>
    public void Heal(int number) => _isWell[number] = true;

    /// <summary>The number of a URL's path.</summary>
    public static int NumberOf(string path) => int.Parse(path.AsSpan(path.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);

    /// <summary>What is done with a request.</summary>
    public UpstreamBehaviour Answer(UpstreamRequest request)
    {
        int number = NumberOf(request.Path);
        Random dice = Dice(number, 3);
        byte[] content = Content(number).ToArray();
        string kind = _isWell[number] ? "well" : Kind(number);
        (int first, int last) = (0, content.Length - 1);
        string status = "200 OK";
        string part = "";
        bool isLie = false;
        if (request.Header("Range") is { } range && !range.Contains(',', StringComparison.Ordinal))
        {
            string[] ends = range["bytes=".Length..].Split('-');
            first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            last = ends[1].Length == 0 ? last : (int)Math.Min(last, long.Parse(ends[1], CultureInfo.InvariantCulture));
            if (first > last)
            {
                return Raw($"HTTP/1.1 416 X\r\nContent-Range: bytes */{content.Length}\r\nContent-Length: 0\r\n\r\n", [], keeps: true);
            }

            string right = $"Content-Range: bytes {first}-{last}/{content.Length}\r\n";
            (first, last, part) = Part(kind, dice, first, last, content.Length);
            status = "206 Partial Content";
            isLie = part != right && kind != "no total";
        }
        else if (kind is "lying range" or "other range" or "shifted")
        {
            (status, part) = ("206 Partial Content", $"Content-Range: bytes 0-{last}/{content.Length}\r\n");
            isLie = true;
        }

        if (isLie || (kind != "well" && !s_ofRanges.Contains(kind)))
        {
            _met[number] = true;
        }

        string head = $"HTTP/1.1 {status}\r\n{part}Cache-Control: max-age=600\r\n{(number % 3 > 0 ? $"ETag: \"{number}\"\r\n" : "")}";
        return Send(kind, dice, head, content[first..(last + 1)]);
    }

    /// <summary>Dice of one URL, for one purpose: what one throws changes nothing of another.</summary>
    private Random Dice(int number, int purpose) => new((((seed * 1_000_003) + number) * 31) + purpose);

    /// <summary>The bytes that a range gets, and what is said of them.</summary>
    private static (int First, int Last, string Part) Part(string kind, Random dice, int first, int last, int total)
    {
        (int First, int Last, int Total) told = (first, last, total);
        switch (kind)
        {
            case "lying range":
                told = dice.Next(4) switch
                {
                    0 => (first + 1, last + 1, total + 2),
                    1 => (first, last, last),
                    2 => (first, last + 10, total + 20),
                    _ => (first + 1, last + 1, total),
                };
                break;
            case "other range" when first < last:
                told = (++first, last, total);
                break;
            case "shifted" when first > 0:
                told = (--first, --last, total);
                break;
            case "less" when first < last:
                told = (first, --last, total);
                break;
        }

        string field = $"Content-Range: bytes {told.First}-{told.Last}/{(kind == "no total" ? "*" : told.Total)}\r\n";
        return (first, last, kind == "two ranges" ? $"{field}Content-Range: bytes 0-{last}/{total}\r\n" : field);
    }

    private static UpstreamBehaviour Send(string kind, Random dice, string head, byte[] body)
    {
        int cut = dice.Next(body.Length);
        string whole = $"{head}Content-Length: {body.Length}\r\n\r\n";
        string coded = $"{head}Transfer-Encoding: chunked\r\n\r\n";
        return kind switch
        {
            "cut" => Raw(whole, body[..cut]),
            "cut chunks" => Raw(coded, Chunks(body[..cut], "")),
            "short" => Raw($"{head}Content-Length: {body.Length + 1 + dice.Next(50)}\r\n\r\n", body),
            "long" => Raw(whole, [.. body, .. "and more"u8]),
            "long chunks" => Raw(coded, head.Contains(" 206 ", StringComparison.Ordinal)
                ? Chunks([.. body, .. "and more"u8], "0\r\n\r\n") : Chunks(body, "5\r\nmore")),
            "unknown coding" => Raw($"{head}Transfer-Encoding: rot13\r\nConnection: close\r\n\r\n", body),
            "two lengths" => Raw($"{head}Content-Length: {body.Length}\r\nContent-Length: {body.Length + 3}\r\n\r\n", body),
            "length and chunks" => Raw($"{head}Content-Length: {body.Length}\r\nTransfer-Encoding: chunked\r\n\r\n",
                Chunks(body, "0\r\n\r\n")),
            "bad chunk" => Raw(coded, Chunks(body[..cut], "zz\r\nnonsense\r\n0\r\n\r\n")),
            "no answer" => Raw("", []),
            "half a head" => Raw(head[..^5], []),
            "unasked 304" => Raw("HTTP/1.1 304 X\r\nETag: \"x\"\r\n\r\n", [], keeps: true),
            "left over" => Raw(whole, [.. body, .. "and more"u8], keeps: true),
            "two answers" => Raw(whole, [.. body, .. Encoding.ASCII.GetBytes(whole), .. new byte[body.Length]], keeps: true),
            _ => dice.Next(2) == 0 ? Raw(whole, body, keeps: true) : Raw(coded, Chunks(body, "0\r\n\r\n"), keeps: true),
        };
    }

    private static UpstreamBehaviour Raw(string head, byte[] body, bool keeps = false) =>
        new() { RawAnswer = [.. Encoding.ASCII.GetBytes(head), .. body], KeepsConnection = keeps };

    private static byte[] Chunks(byte[] body, string end) =>
    [
        .. body.Chunk(900).SelectMany(piece => (byte[])[.. Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), .. piece, .. "\r\n"u8]),
        .. Encoding.ASCII.GetBytes(end),
    ];
}
