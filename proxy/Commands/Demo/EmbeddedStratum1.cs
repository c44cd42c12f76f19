using System.Globalization;
using Breakwater.Laboratory.Stratum1;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>The Stratum 1 of the demo: on loopback, in the demo's own process, a round-trip time away. Thread-safe.</summary>
internal sealed class EmbeddedStratum1 : IDisposable
{
    private readonly DemoRepository _repository;
    private readonly UpstreamServer _server;

    /// <summary>Starts it on a free port, with revision 1 as the newest.</summary>
    public EmbeddedStratum1(DemoRepository repository, TimeSpan roundTrip)
    {
        _repository = repository;

        // A real Stratum 1 says 61 s for documents, and the proxy takes no more than that from anybody. With 1 s the demo need not wait a
        // minute for the proxy's next look at the manifest; whoever sends less is asked more often.
        _server = new UpstreamServer(
            repository.Served(revision: 1), new UpstreamOptions { Delay = roundTrip, DocumentMaxAge = TimeSpan.FromSeconds(1) });
    }

    /// <summary>Its base address, with a slash at the end.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_server.Port}/");

    /// <summary>Requests for objects since the last <see cref="ResetCounters"/>.</summary>
    public int ObjectRequestCount => (int)_server.Counters().ObjectRequests;

    /// <summary>The paths of objects asked for more than once since the last <see cref="ResetCounters"/>.</summary>
    public IReadOnlyList<string> RepeatedObjects => _server.Repeated();

    /// <summary>From now on the manifest of this revision is served.</summary>
    public void Publish(int revision) =>
        _server.Publish(DemoRepository.ManifestPath, _repository.Find(DemoRepository.ManifestPath, revision)!);

    /// <summary>Counts from zero again.</summary>
    public void ResetCounters() => _server.Reset();

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();
}
