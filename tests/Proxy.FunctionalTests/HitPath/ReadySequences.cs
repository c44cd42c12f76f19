using System.Text;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>Makes sequences of requests of ordinary HTTP on one connection, by seed. None of them changes what is stored.</summary>
/// <param name="site">A host of <c>Http:Sites</c>.</param>
/// <param name="destination">A host with port of <c>Access:Destinations</c>.</param>
internal sealed class ReadySequences(string site, string destination)
{
    /// <summary>Fields that are sent with a request: most change nothing, some do.</summary>
    private static readonly string[] s_fields =
    [
        "Accept: */*", "User-Agent: cvmfs Fuse 2.11.5", "User-Agent: curl/8.5.0", "Proxy-Connection: Keep-Alive", "Connection: Keep-Alive",
        "Cookie: a=b", "X-Frontier-Id: x", "Accept-Encoding: gzip", "Accept-Encoding: identity", "Accept-Language: de", "X-Flavour: a",
        "TE: trailers", "cvmfs-info: /a%20b", "Range: bytes=1-9", "Range: bytes=1-9,20-30", "Range: bytes=9999999-", "Range: lines=1-2",
        "If-None-Match: \"one\"", "if-none-match: \"two\"", "IF-MODIFIED-SINCE: Sat, 28 Nov 2099 12:00:00 GMT", "If-Match: \"two\"",
        "If-Unmodified-Since: Sat, 28 Nov 2020 12:00:00 GMT", "If-Range: \"one\"", "Cache-Control: max-age=1000",
        "Cache-Control: only-if-cached", "Cache-Control: max-stale", "Pragma: foo", "Authorization: Basic eDp5", "X-Forwarded-Host: evil",
        "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "Forwarded: host=evil", "x-original-url: /evil", "X-Http-Method: PUT",
        "X-Real-IP: 10.0.0.1", "Via: 1.1 other", "CDN-Loop: other", "Expect: 100-continue", "X: \u00e9", "Base: x", "Range-Unit: x",
        "If: x", "Upgrade-Insecure-Requests: 1", "DNT: 1", "Sec-Fetch-Mode: navigate", "Referer: http://a/",
    ];

    /// <summary>The bytes of one connection, in the pieces in which they are to be sent.</summary>
    public IReadOnlyList<byte[]> Make(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        for (int requests = random.Next(1, 7); requests > 0; requests--)
        {
            text.Append(Element(random));
        }

        text.Append($"GET /plain HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n\r\n");
        byte[] bytes = Encoding.Latin1.GetBytes(text.ToString());
        int cut = random.Next(3) == 0 ? random.Next(bytes.Length) : bytes.Length;
        return [bytes[..cut], bytes[cut..]];
    }

    private string Element(Random random)
    {
        string path = random.Next(12) == 0 ? ReadyOrigin.Unstored : Pick(random, ReadyOrigin.Stored);
        path = path is "/slice" or "/over" && random.Next(8) > 0 ? "/plain" : path; // they are long

        // None twice: of what an answer varies by, only the values that are stored.
        string fields = random.Next(2) == 0 ? "" : string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pick(random, s_fields))
            .DistinctBy(field => field[..field.IndexOf(':', StringComparison.Ordinal)].ToUpperInvariant()).Select(field => field + "\r\n"));
        string method = random.Next(6) == 0 ? "HEAD" : "GET";
        return random.Next(24) switch
        {
            < 9 => $"{method} {path} HTTP/1.1\r\nHost: {site}\r\n{fields}\r\n",
            < 14 => $"{method} http://{destination}{path} HTTP/1.1\r\nHost: {destination}\r\n{fields}\r\n",
            < 17 => $"{method} http://{site}{path} HTTP/1.1\r\nHost: other.example.com\r\n{fields}\r\n",
            17 => $"{method} {path} HTTP/1.1\r\n{fields}Host:   {site}:80 \r\n\r\n",
            18 => $"GET {path} HTTP/1.0\r\nHost: {site}\r\nConnection: keep-alive\r\n\r\n",
            19 => $"GET {path} HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n",
            20 => $"GET http://nobody.example.com{path} HTTP/1.1\r\nHost: {site}\r\n\r\n",
            21 => $"POST {path} HTTP/1.1\r\nHost: {site}\r\nContent-Length: 2\r\n\r\nxy",
            22 => $"GET {path} HTTP/1.1\r\nHost: {site}\r\nHost: {site}\r\n\r\n",
            _ => $"GET {path}#f HTTP/1.1\r\nHost: {site}\r\n\r\n",
        };
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
