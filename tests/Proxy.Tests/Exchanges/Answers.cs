using System.IO.Pipelines;
using System.Net;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Tests.Caching;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Requests, and origins' answers to them, written down shortly.</summary>
internal static class Answers
{
    /// <summary>An answer whose body is this.</summary>
    /// <param name="fields">Its fields, parted by bars.</param>
    /// <param name="length">Its length as the head tells it; null: it does not.</param>
    /// <param name="body">Where the body comes from; null: there is none.</param>
    /// <param name="ended">Is told how it ended.</param>
    /// <param name="silence">Longest wait for a byte of it; null: long.</param>
    /// <param name="isChunked">Does its head say that it is in chunks?</param>
    /// <param name="first">What of the body came with its head.</param>
    /// <param name="givesWay">Is it one that gives way to clients' hits?</param>
    public static FetchedAnswer Of(
        string fields = "", int status = 200, long? length = null, Stream? body = null, Action<string?>? ended = null,
        TimeSpan? silence = null, bool isChunked = false, byte[]? first = null, bool givesWay = false)
    {
        var message = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StreamContent(new Pipe().Reader.AsStream()),   // of no known length
        };
        message.Content.Headers.ContentLength = length;
        message.Headers.TransferEncodingChunked = isChunked ? true : null;
        return new FetchedAnswer(message, body ?? Stream.Null, silence ?? TimeSpan.FromMinutes(2))
        {
            Fields = Headers.OfText(fields),
            RequestedAt = Headers.Now,
            ReceivedAt = Headers.Now.AddSeconds(1),
            Upstream = "o.example.org:80",
            WhenEnded = ended,
            First = first ?? [],
            GivesWay = givesWay,
        };
    }

    /// <summary>A request of a client.</summary>
    /// <param name="uri">What is asked for.</param>
    /// <param name="fields">Its fields, parted by bars.</param>
    /// <param name="external">Is it an external file of CernVM-FS?</param>
    public static Exchange Exchange(string uri = "http://o.example.org/x", string fields = "", ExternalFile? external = null) => new(
        new ExchangeTarget(uri, [new Uri(CacheUri.Url(uri).ToString())], "o.example.org", IsConfigured: false), "GET",
        Headers.OfText(fields), CachingRule.Default, null, external);
}
