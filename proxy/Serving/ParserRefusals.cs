using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
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
        byte[] body = Encoding.ASCII.GetBytes($"{e.StatusCode}: {Reason(e.StatusCode)}\n");
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {e.StatusCode} {ReasonPhrases.GetReasonPhrase(e.StatusCode)}\r\nDate: {time.GetUtcNow():R}\r\nVia: 1.1 "
            + $"{options.Name}\r\nCache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
            + $"{body.Length}\r\nConnection: close\r\n\r\n");
        features.Get<RefusableOutput>()?.SayInstead([.. Encoding.ASCII.GetBytes(head), .. isHead ? [] : body]);
        long now = time.GetTimestamp();
        var facts = new RequestFacts
        {
            StartedAt = now,
            Method = isHead ? RequestMethod.Head : request?.Method == HttpMethods.Get ? RequestMethod.Get : RequestMethod.Other,
            Client = features.Get<IHttpConnectionFeature>()?.RemoteIpAddress,
            Target = request?.RawTarget is { Length: > 0 } target ? target : null,
        };
        recorder.Record(facts.Ended(RequestResult.Refused, e.StatusCode, isHead ? 0 : body.Length, now, now));
    }

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }

    /// <inheritdoc/>
    public void OnError(Exception error)
    {
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
