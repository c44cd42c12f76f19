using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Hits;

/// <summary>Writes the heads of hits as Kestrel writes those of <see cref="ResponseHeads"/>: the same fields in the same order.</summary>
internal sealed class HeadEncoder(ProxyOptions options, TimeProvider time)
{
    /// <summary>Longest head that is written here, bytes.</summary>
    public const int MaxBytes = 1024;

    private readonly byte[] _afterHitDate = AfterObjectDate(RequestResult.Hit, options);
    private readonly byte[] _afterMissDate = AfterObjectDate(RequestResult.Miss, options);
    private readonly byte[] _afterJoinedDate = AfterObjectDate(RequestResult.Joined, options);
    private readonly byte[] _afterMissDateUnstored = AfterObjectDate(RequestResult.Miss, options, isStored: false);
    private readonly byte[] _afterJoinedDateUnstored = AfterObjectDate(RequestResult.Joined, options, isStored: false);

    private readonly byte[] _afterDocumentAge = Encoding.ASCII.GetBytes(
        $"\r\nVia: 1.1 {options.Name}\r\nCache-Status: "
        + $"{new RequestOutcome { Result = RequestResult.Hit }.ToCacheStatus(options.Name)}\r\n\r\n");

    private volatile DateField _date = new(-1, []);

    /// <summary>The head of an object's 200: a hit, or the answer of a request that waited for the fetch. Returns its length.</summary>
    public int WriteObject(Span<byte> head, long length, RequestResult result, bool isStored = true)
    {
        var writer = new Cursor(head);
        writer.Append("HTTP/1.1 200 OK\r\nContent-Length: "u8);
        writer.Append(length);
        writer.Append("\r\nContent-Type: application/octet-stream\r\nDate: "u8);
        writer.Append(Date());
        writer.Append(result switch
        {
            RequestResult.Hit => _afterHitDate,
            RequestResult.Miss => isStored ? _afterMissDate : _afterMissDateUnstored,
            _ => isStored ? _afterJoinedDate : _afterJoinedDateUnstored,
        });
        return writer.Length;
    }

    /// <summary>The head of a fresh document's 200. Returns its length.</summary>
    public int WriteDocument(Span<byte> head, CachedDocument document)
    {
        Span<byte> type = stackalloc byte[ContentTypeField.MaxLength];
        int typeLength = Encoding.ASCII.GetBytes(document.ContentType, type);
        var writer = new Cursor(head);
        writer.Append("HTTP/1.1 200 OK\r\nContent-Length: "u8);
        writer.Append(document.Body.Length);
        writer.Append("\r\nContent-Type: "u8);
        writer.Append(type[..typeLength]);
        writer.Append("\r\nDate: "u8);
        writer.Append(Date());
        writer.Append("\r\nAge: "u8);
        writer.Append(document.AgeSeconds(time));
        writer.Append("\r\nCache-Control: public, max-age="u8);
        writer.Append((long)document.Lifetime.TotalSeconds);
        writer.Append(_afterDocumentAge);
        return writer.Length;
    }

    private static byte[] AfterObjectDate(RequestResult result, ProxyOptions options, bool isStored = true) => Encoding.ASCII.GetBytes(
        $"\r\nAccept-Ranges: bytes\r\nAge: 0\r\nCache-Control: {ResponseHeads.ObjectCacheControl}\r\nVia: 1.1 {options.Name}\r\n"
        + $"Cache-Status: {new RequestOutcome { Result = result, IsStored = isStored }.ToCacheStatus(options.Name)}\r\n\r\n");

    /// <summary>RFC 9110, 5.6.7; made once a second.</summary>
    private byte[] Date()
    {
        DateTimeOffset now = time.GetUtcNow();
        long second = now.ToUnixTimeSeconds();
        DateField date = _date;
        if (date.Second != second)
        {
            date = new DateField(second, Encoding.ASCII.GetBytes(now.ToString("R", CultureInfo.InvariantCulture)));
            _date = date;
        }

        return date.Text;
    }

    private sealed record DateField(long Second, byte[] Text);

    private ref struct Cursor(Span<byte> buffer)
    {
        private readonly Span<byte> _buffer = buffer;

        public int Length { get; private set; }

        public void Append(scoped ReadOnlySpan<byte> text)
        {
            text.CopyTo(_buffer[Length..]);
            Length += text.Length;
        }

        public void Append(long number)
        {
            Utf8Formatter.TryFormat(number, _buffer[Length..], out int written);
            Length += written;
        }
    }
}
