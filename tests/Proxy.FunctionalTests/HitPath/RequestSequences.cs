using System.Text;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// Makes sequences of requests on one connection, by seed: hits, requests that are no hits, and things that only look like requests.
/// </summary>
internal sealed class RequestSequences(IReadOnlyList<string> objectPaths, IReadOnlyList<string> documentPaths)
{
    /// <summary>The bytes of one connection, in the pieces in which they are to be sent.</summary>
    public IReadOnlyList<byte[]> Make(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        int requests = random.Next(1, 7);
        for (int i = 0; i < requests; i++)
        {
            text.Append(Element(random));
        }

        // The end: an answer to this closes the connection, if nothing before did.
        text.Append($"GET {Pick(random, objectPaths)} HTTP/1.1\r\nHost: s1.example.org\r\nConnection: close\r\n\r\n");
        return Split(Encoding.Latin1.GetBytes(text.ToString()), random);
    }

    private string Element(Random random)
    {
        string path = Pick(random, objectPaths);
        const string Host = "s1.example.org";
        string method = random.Next(4) == 0 ? "HEAD" : "GET";
        return random.Next(35) switch
        {
            < 8 => $"{method} {path} HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            < 12 => $"{method} http://{Host}{path} HTTP/1.1\r\nHost: {Host}\r\nAccept: */*\r\nProxy-Connection: "
                + $"Keep-Alive\r\nConnection: Keep-Alive\r\nUser-Agent: cvmfs Fuse 2.11.5\r\n\r\n",
            < 15 => $"{method} {Pick(random, documentPaths)} HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            15 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nRange: bytes={random.Next(50)}-{random.Next(200)}\r\n\r\n",
            16 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\r\n",
            17 => $"GET /cvmfs/minios.example.org/data/zz/nothing HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            18 => $"GET /cvmfs/../etc/passwd HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            19 => $"GET http://www.example.com/ HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
            20 => $"POST {path} HTTP/1.1\r\nHost: {Host}\r\nContent-Length: 0\r\n\r\n",
            21 => $"POST {path} HTTP/1.1\r\nHost: {Host}\r\nContent-Length: {path.Length + 30}\r\n\r\nGET {path} HTTP/1.1\r\nHost: "
                + $"{Host}\r\n\r\n",
            22 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nContent-Length: 0\r\n\r\n",
            23 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            24 => $"GET {path} HTTP/1.0\r\nHost: {Host}\r\nConnection: keep-alive\r\n\r\n",
            25 => $"GET {path} HTTP/1.1\nHost: {Host}\n\n",
            26 => $"\r\nGET {path} HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            27 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nHost: {Host}\r\n\r\n",
            28 => $"GET http://{Host}{path} HTTP/1.1\r\nHost: other.example.org\r\n\r\n",
            29 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nBad Name: x\r\n\r\n",
            30 => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nX: a\r\n folded\r\n\r\n",
            31 => $"GET {path} HTTP/1.1\r\n\r\n",
            33 => $"GET HTTP://{Host}{path} HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            32 => $"GET {path}  HTTP/1.1\r\nHost: {Host}\r\n\r\n",
            _ => $"GET {path} HTTP/1.1\r\nHost: {Host}\r\nX-Long: {new string('x', random.Next(9000))}\r\nX-Byte: "
                + $"{(char)random.Next(1, 256)}\r\n\r\n",
        };
    }

    private static List<byte[]> Split(byte[] bytes, Random random)
    {
        List<byte[]> pieces = [];
        int at = 0;
        while (at < bytes.Length)
        {
            int length = random.Next(3) == 0 ? random.Next(1, 60) : bytes.Length;
            length = Math.Min(length, bytes.Length - at);
            pieces.Add(bytes[at..(at + length)]);
            at += length;
        }

        return pieces;
    }

    private static string Pick(Random random, IReadOnlyList<string> from) => from[random.Next(from.Count)];
}
