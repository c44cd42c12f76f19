using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Requests that Kestrel refuses before the pipeline sees them (400, 408, 414, 431, 505 …): the client is told why, and the access log and
/// the metrics know of it. Thread-safe.
/// </summary>
internal sealed class ParserRefusals(RequestRecorder recorder, ProxyOptions options, TimeProvider time)
    : IObserver<KeyValuePair<string, object?>>
{
    private const string Event = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    /// <summary>Begins to watch; dispose to end.</summary>
    public IDisposable Watch(DiagnosticListener kestrel) => kestrel.Subscribe(this, static (name, _, _) => name == Event);

    /// <summary>The connection delegate around the next one.</summary>
    public static ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        IDuplexPipe transport = connection.Transport;
        var output = new RefusableOutput(transport.Output);
        connection.Features.Set(output);
        connection.Transport = new Pipes(transport.Input, output);
        await next(connection);
    };

    /// <inheritdoc/>
    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is not IFeatureCollection features
            || features.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException e
            || features.Get<IHttpResponseFeature>() is { HasStarted: true })
        {
            return;
        }

        IHttpRequestFeature? request = features.Get<IHttpRequestFeature>();
        bool isHead = request?.Method == HttpMethods.Head;
        byte[] answer = Answer(e.StatusCode, isHead, Reason(e.StatusCode), out int bodyBytes);
        features.Get<RefusableOutput>()?.SayInstead(answer);
        long now = time.GetTimestamp();
        var facts = new RequestFacts
        {
            StartedAt = now,
            Method = isHead ? RequestMethod.Head : request?.Method == HttpMethods.Get ? RequestMethod.Get : RequestMethod.Other,
            Client = features.Get<IHttpConnectionFeature>()?.RemoteIpAddress,
            Target = request?.RawTarget is { Length: > 0 } target ? target : null,
        };
        recorder.Record(facts.Ended(RequestResult.Refused, e.StatusCode, bodyBytes, now, now));
    }

    /// <summary>The answer to a client of the event loops whose head did not become whole in time; it is recorded.</summary>
    public byte[] RefuseLateHead(IPAddress client)
    {
        const int Status = StatusCodes.Status408RequestTimeout;
        return Record(client, Status, Answer(Status, isHead: false, Reason(Status), out int bodyBytes), bodyBytes);
    }

    /// <summary>The answer to a connection whose beginning is not as the PROXY protocol wants it; it is recorded.</summary>
    /// <param name="sender">The connection's own address.</param>
    /// <param name="isWanted">It must begin with a header; else it must not.</param>
    public byte[] RefuseProxyHeader(IPAddress sender, bool isWanted)
    {
        const int Status = StatusCodes.Status400BadRequest;
        string reason = isWanted
            ? "A connection from this address begins with a header of the PROXY protocol (Proxy:ProxyProtocol), and this one did not."
            : "The PROXY protocol is taken from the networks of Proxy:ProxyProtocol alone, and this address is in none of them.";
        return Record(sender, Status, Answer(Status, isHead: false, reason, out int bodyBytes), bodyBytes);
    }

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }

    /// <inheritdoc/>
    public void OnError(Exception error)
    {
    }

    private byte[] Record(IPAddress client, int status, byte[] answer, int bodyBytes)
    {
        long now = time.GetTimestamp();
        var facts = new RequestFacts { StartedAt = now, Method = RequestMethod.Other, Client = client };
        recorder.Record(facts.Ended(RequestResult.Refused, status, bodyBytes, now, now));
        return answer;
    }

    private byte[] Answer(int status, bool isHead, string reason, out int bodyBytes)
    {
        byte[] body = Encoding.ASCII.GetBytes($"{status}: {reason}\n");
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\nDate: {time.GetUtcNow():R}\r\nVia: 1.1 "
            + $"{options.Name}\r\nCache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
            + $"{body.Length}\r\nConnection: close\r\n\r\n");
        bodyBytes = isHead ? 0 : body.Length;
        return [.. Encoding.ASCII.GetBytes(head), .. isHead ? [] : body];
    }

    /// <summary>Nothing of the request is in it: whoever sends nonsense gets none back.</summary>
    private static string Reason(int status) => status switch
    {
        StatusCodes.Status408RequestTimeout => "The head of the request did not come in time (Proxy:RequestHeadTimeout).",
        StatusCodes.Status413PayloadTooLarge => "A request for content has no body.",
        StatusCodes.Status414UriTooLong => "The URL is longer than any in CernVM-FS.",
        StatusCodes.Status431RequestHeaderFieldsTooLarge => "The header fields are more or longer than any client of CernVM-FS sends.",
        StatusCodes.Status505HttpVersionNotsupported => "This proxy speaks HTTP/1.1 and HTTP/1.0.",
        _ => "This is no request in the grammar of HTTP/1.1 (RFC 9112): look at the request line, the Host field and the other fields.",
    };

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
