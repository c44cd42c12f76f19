using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// The Stratum 1 of the demo: a real server on loopback, in the demo's own process, a round-trip time away. It counts every request.
/// Thread-safe.
/// </summary>
internal sealed class EmbeddedStratum1 : IAsyncDisposable
{
    private readonly DemoRepository _repository;
    private readonly TimeSpan _roundTrip;
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, int> _objectRequests = new(StringComparer.Ordinal);
    private int _objectRequestCount;
    private volatile int _revision = 1;

    private EmbeddedStratum1(DemoRepository repository, TimeSpan roundTrip)
    {
        _repository = repository;
        _roundTrip = roundTrip;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>Its base address, with a slash at the end.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Requests for objects since the last <see cref="ResetCounters"/>.</summary>
    public int ObjectRequestCount => Volatile.Read(ref _objectRequestCount);

    /// <summary>The paths of objects asked for more than once since the last <see cref="ResetCounters"/>.</summary>
    public IReadOnlyList<string> RepeatedObjects => [.. _objectRequests.Where(r => r.Value > 1).Select(r => r.Key)];

    /// <summary>Starts it on a free port, with revision 1 as the newest.</summary>
    public static async Task<EmbeddedStratum1> StartAsync(DemoRepository repository, TimeSpan roundTrip,
        CancellationToken cancellationToken)
    {
        EmbeddedStratum1 stratum1 = new(repository, roundTrip);
        await stratum1._app.StartAsync(cancellationToken);
        stratum1.Address = stratum1._app.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/";
        return stratum1;
    }

    /// <summary>From now on the manifest of this revision is served.</summary>
    public void Publish(int revision) => _revision = revision;

    /// <summary>Counts from zero again.</summary>
    public void ResetCounters()
    {
        _objectRequests.Clear();
        Volatile.Write(ref _objectRequestCount, 0);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "";
        bool isObject = DemoRepository.TryParseObject(path, out _);
        if (isObject)
        {
            Interlocked.Increment(ref _objectRequestCount);
            _objectRequests.AddOrUpdate(path, 1, static (_, count) => count + 1);
        }

        if (_roundTrip > TimeSpan.Zero)
        {
            await Task.Delay(_roundTrip, context.RequestAborted);
        }

        HttpResponse response = context.Response;
        if (_repository.Find(path, _revision) is not { } bytes)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        response.ContentLength = bytes.Length;
        response.ContentType = isObject ? "application/octet-stream" : "application/x-cvmfs";

        // A real Stratum 1 says 61 s for documents, and the proxy takes no more than that from anybody. With 1 s the demo need not wait a
        // minute for the proxy's next look at the manifest; whoever sends less is asked more often.
        response.Headers.CacheControl = isObject ? "max-age=259200" : "max-age=1";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }
}
