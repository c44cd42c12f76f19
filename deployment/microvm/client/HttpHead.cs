using System.Globalization;

namespace Breakwater.Mount;

/// <summary>What an answer's head says of its body.</summary>
internal readonly record struct HttpHead(int Status, long? LengthBytes, bool IsChunked, bool IsKeptAlive)
{
    /// <summary>Reads a status line and header lines.</summary>
    /// <exception cref="AnswerException">It is no head of HTTP/1.x, or its lengths contradict each other.</exception>
    public static HttpHead Parse(string head)
    {
        string[] lines = head.Split('\n');
        string first = lines[0];
        if (!first.StartsWith("HTTP/1.", StringComparison.Ordinal) || first.Length < 12 || first[8] != ' '
            || !int.TryParse(first.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status))
        {
            throw new AnswerException("the answer is no HTTP/1.1");
        }

        long? length = null;
        bool isChunked = false;
        bool isKeptAlive = first[7] != '0';
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':');
            if (colon < 1)
            {
                continue;
            }

            string value = line[(colon + 1)..].Trim();
            switch (line[..colon].ToUpperInvariant())
            {
                case "CONTENT-LENGTH":
                    bool isNumber = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes);
                    length = isNumber && (length ?? bytes) == bytes ? bytes : throw new AnswerException("the answer's length is no number");
                    break;
                case "TRANSFER-ENCODING":
                    isChunked = value.Equals("chunked", StringComparison.OrdinalIgnoreCase)
                        ? true
                        : throw new AnswerException($"the answer comes as '{value}', for which nobody asked");
                    break;
                case "CONNECTION":
                    isKeptAlive &= !value.Contains("close", StringComparison.OrdinalIgnoreCase);
                    break;
            }
        }

        return new HttpHead(status, isChunked ? null : length, isChunked, isKeptAlive && (isChunked || length is not null));
    }
}
