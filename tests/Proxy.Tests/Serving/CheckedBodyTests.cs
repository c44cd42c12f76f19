using System.Diagnostics.Metrics;
using System.Net;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Bodies that are kept in memory until they are known to be right.</summary>
public sealed class CheckedBodyTests : IDisposable
{
    private const int First = 1000;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly OverflowBudget _budget = new(1 << 20);
    private readonly UpstreamPace _pace = new(new UpstreamOptions(), new ProxyOptions(), TimeProvider.System);
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly ProxyCounters _counters;
    private readonly SyntheticObject _item = new(300_000);

    public CheckedBodyTests() => _counters = new ProxyCounters(_services.GetRequiredService<IMeterFactory>());

    public void Dispose()
    {
        _counters.Dispose();
        _client.Dispose();
        _pace.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Read_TheObject_IsAllOfItAndItsMemoryIsGivenBack()
    {
        using (var body = new CheckedBody(_budget, _pace, _counters))
        {
            Assert.Null(await ReadAsync(body, _item.Bytes));
            Assert.True(_item.Bytes.AsSpan().SequenceEqual(body.Bytes.Span));
            Assert.InRange(_budget.Taken, _item.Bytes.Length, 1 << 20);
            Assert.Equal(_item.Bytes.Length, _counters.UpstreamBytesTotal);

            // Another Stratum 1's in its place.
            Assert.Null(await ReadAsync(body, _item.Bytes));
            Assert.Equal((_item.Bytes.Length, false), (body.Bytes.Length, body.IsOutOfMemory));
        }

        Assert.Equal(0, _budget.Taken);
    }

    [Fact]
    public async Task Read_OtherBytes_IsWrong()
    {
        using var body = new CheckedBody(_budget, _pace, _counters);

        Assert.Equal(FailureKind.WrongBytes, (await ReadAsync(body, _item.Bytes[..^1]))?.Kind);
        Assert.Equal(FailureKind.WrongBytes, (await ReadAsync(body, [.. _item.Bytes, 0]))?.Kind);
        Assert.Equal(FailureKind.WrongBytes, (await ReadAsync(body, []))?.Kind);
        Assert.Null(await ReadAsync(body, _item.Bytes)); // nothing of them is left
    }

    [Fact]
    public async Task Read_MoreThanThereIsMemoryFor_SaysSo()
    {
        var small = new OverflowBudget(100_000);
        using (var body = new CheckedBody(small, _pace, _counters))
        {
            Assert.Equal(FailureKind.NoUpstream, (await ReadAsync(body, _item.Bytes))?.Kind);
            Assert.True(body.IsOutOfMemory);
        }

        Assert.Equal(0, small.Taken);
    }

    [Fact]
    public async Task Read_ABodyThatBreaksOff_IsBrokenThoughAllBytesAreHere()
    {
        using var body = new CheckedBody(_budget, _pace, _counters);
        var rest = new EndingStream(_item.Bytes[First..], isBroken: true);

        Assert.Equal(FailureKind.Broken, (await ReadAsync(body, _item.Bytes, rest))?.Kind);
    }

    [Fact]
    public async Task Read_ABodyThatFallsSilent_IsLateUnlessItsClientLeft()
    {
        using var body = new CheckedBody(_budget, _pace, _counters);
        var silent = new EndingStream(_item.Bytes[First..100_000], isBroken: false);

        Assert.Equal(FailureKind.Timeout, (await ReadAsync(body, _item.Bytes, silent, TimeSpan.FromMilliseconds(20)))?.Kind);

        using var left = new CancellationTokenSource();
        Task reading = ReadAsync(body, _item.Bytes, silent, Waiting.Hang, left.Token);
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.InTimeAsync());
    }

    private async Task<(FailureKind Kind, string What)?> ReadAsync(CheckedBody body, byte[] bytes, Stream? rest = null,
        TimeSpan? patience = null, CancellationToken cancellationToken = default)
    {
        var model = new DestinationModel(new DestinationConfig { Address = "http://s1/" });
        using var response = new UpstreamResponse(new Stratum1(new ClusterState("c"), new DestinationState("s1", model), _client),
            new HttpResponseMessage(HttpStatusCode.OK), 0, bytes.Length)
        {
            First = bytes.AsMemory(0, Math.Min(First, bytes.Length)),
            Body = rest ?? new MemoryStream(bytes[Math.Min(First, bytes.Length)..]),
        };
        return await body.ReadAsync(response, _item.Key, patience ?? Waiting.Hang, cancellationToken).InTimeAsync();
    }

    /// <summary>What a connection gives that is reset behind its bytes, or says no more.</summary>
    private sealed class EndingStream(byte[] bytes, bool isBroken) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0 && isBroken)
            {
                throw new IOException("reset");
            }

            if (read == 0)
            {
                var never = new TaskCompletionSource();
                using CancellationTokenRegistration end = cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
                await never.Task;
            }

            return read;
        }
    }
}
