using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>A resolver that is slow, dead or lies: what is remembered, for how long, and how much of it.</summary>
public sealed class RememberedHostNamesTests : IDisposable
{
    private const string Host = "stratum1.example.org";
    private static readonly IPAddress s_old = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress s_new = IPAddress.Parse("192.0.2.2");
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly Resolver _resolver = new();
    private readonly RememberedHostNames _names;

    public RememberedHostNamesTests() => _names = new RememberedHostNames(_resolver, 64, new ProxyOptions(), _time);

    public void Dispose() => _names.Dispose();

    [Fact]
    public async Task SlowResolver_WhoWaitedHasLeft_TheNextGetsItsAnswer()
    {
        using var client = new CancellationTokenSource();
        Task<IPAddress[]> first = AskAsync(client.Token);
        Resolver.Question question = await _resolver.NextAsync();
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        question.Answer(s_old);

        Assert.Equal([s_old], await AskAsync());
        Assert.Equal(1, _resolver.Asked);
    }

    /// <summary>A minute fresh, ten minutes used while it is looked up anew, a day where nobody answers; two seconds of rest.</summary>
    [Fact]
    public void Times_OfWhatIsRemembered_AreThose() => Assert.Equal(
        [60, 600, 86_400, 2],
        new[] { RememberedHostNames.Fresh, RememberedHostNames.UsedMeanwhile, RememberedHostNames.UsedOnFailure, RememberedHostNames.Rest }
            .Select(time => time.TotalSeconds));

    [Fact]
    public async Task Crowd_AsksAtOnce_IsOneLookup()
    {
        Task<IPAddress[]>[] crowd = [.. Enumerable.Range(0, 50).Select(_ => AskAsync())];

        (await _resolver.NextAsync()).Answer(s_old);

        Assert.All(await Task.WhenAll(crowd).WaitAsync(s_deadline), a => Assert.Equal([s_old], a));
        Assert.Equal(1, _resolver.Asked);
    }

    [Fact]
    public async Task Answer_OlderThanAMinute_IsUsedWhileANewOneIsFetched()
    {
        await AnsweredAsync(s_old);
        _time.Advance(RememberedHostNames.Fresh - TimeSpan.FromSeconds(1));
        Assert.Equal([s_old], await AskAsync());
        Assert.Equal(1, _resolver.Asked);

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([s_old], await AskAsync());
        (await _resolver.NextAsync()).Answer(s_new);

        await Waiting.UntilAsync(async () => (await AskAsync()).SequenceEqual([s_new]));
        Assert.Equal(2, _resolver.Asked);
    }

    [Fact]
    public async Task Answer_OlderThanThat_IsWaitedForAndUsedWhenNoneComes()
    {
        await AnsweredAsync(s_old);
        _time.Advance(RememberedHostNames.UsedMeanwhile + TimeSpan.FromSeconds(1));

        Task<IPAddress[]> waiting = AskAsync();
        Resolver.Question question = await _resolver.NextAsync();
        Assert.False(waiting.IsCompleted);
        question.Fail();

        Assert.Equal([s_old], await waiting.WaitAsync(s_deadline));

        // The resolver has its rest, then is asked again; a slow one is waited for no longer than the settings say.
        Assert.Equal([s_old], await AskAsync());
        Assert.Equal(2, _resolver.Asked);
        _time.Advance(RememberedHostNames.Rest);
        Task<IPAddress[]> slow = AskAsync();
        await _resolver.NextAsync();
        _time.Advance(new ProxyOptions().LookupTimeout);
        Assert.Equal([s_old], await slow.WaitAsync(s_deadline));
    }

    [Fact]
    public async Task Answer_OfYesterday_IsNotUsed()
    {
        await AnsweredAsync(s_old);
        _time.Advance(RememberedHostNames.UsedOnFailure + TimeSpan.FromSeconds(1));

        Task<IPAddress[]> asked = AskAsync();
        (await _resolver.NextAsync()).Fail();

        await Assert.ThrowsAsync<LookupFailedException>(() => asked.WaitAsync(s_deadline));
    }

    [Fact]
    public async Task NoAnswerInTime_NothingRemembered_IsATimeoutThatSaysSo()
    {
        Task<IPAddress[]> asked = AskAsync();
        await _resolver.NextAsync();

        _time.Advance(new ProxyOptions().LookupTimeout);

        LookupFailedException failure = await Assert.ThrowsAsync<LookupFailedException>(() => asked.WaitAsync(s_deadline));
        Assert.True(failure.IsTimeout);
        Assert.Contains("Proxy:LookupTimeout", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_IsRememberedForItsRestAlone()
    {
        Task<IPAddress[]> asked = AskAsync();
        (await _resolver.NextAsync()).Fail();
        await Assert.ThrowsAsync<LookupFailedException>(() => asked);
        await Assert.ThrowsAsync<LookupFailedException>(() => AskAsync());
        Assert.Equal(1, _resolver.Asked);

        _time.Advance(RememberedHostNames.Rest);
        asked = AskAsync();
        (await _resolver.NextAsync()).Answer(s_new);

        Assert.Equal([s_new], await asked);
    }

    [Fact]
    public async Task Doubt_OfAFreshAnswer_LooksItUpAgainBehindTheNext()
    {
        await AnsweredAsync(s_old);
        _names.Doubt(Host);
        Assert.Equal(1, _resolver.Asked);

        _time.Advance(RememberedHostNames.Rest);
        _names.Doubt(Host);
        (await _resolver.NextAsync()).Answer(s_new);

        await Waiting.UntilAsync(async () => (await AskAsync()).SequenceEqual([s_new]));
    }

    [Fact]
    public async Task Names_MadeUpByTheThousand_AreBoundedAndDoNotPushOutWhatIsInUse()
    {
        await AnsweredAsync(s_old);
        _resolver.AnswersAtOnce = Enumerable.Repeat(s_new, 1000).ToArray();
        for (int i = 0; i < 4 * RememberedHostNames.MaxHosts; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(RememberedHostNames.MaxAddresses, (await _names.ResolveAsync($"made-up-{i}.example.org", default)).Length);
            await AskAsync();
        }

        Assert.Equal(RememberedHostNames.MaxHosts, _names.Count);
        Assert.Equal([s_old], await AskAsync());
        await Assert.ThrowsAsync<LookupFailedException>(async () => await _names.ResolveAsync(new string('a', 256), default));
    }

    [Fact]
    public async Task Names_WhoseLookupsNeverEnd_AreBoundedToo()
    {
        Task<IPAddress[]>[] waiting =
            [.. Enumerable.Range(0, RememberedHostNames.MaxHosts)
            .Select(i => _names.ResolveAsync($"silent-{i}.example.org", default).AsTask())];

        await Assert.ThrowsAsync<LookupFailedException>(() => AskAsync());

        Assert.Equal(RememberedHostNames.MaxHosts, _names.Count);
        _time.Advance(new ProxyOptions().LookupTimeout);
        await Assert.ThrowsAsync<LookupFailedException>(() => waiting[0].WaitAsync(s_deadline));
        await Task.WhenAll(waiting.Select(w => w.ContinueWith(static t => t.Exception, TaskScheduler.Default))).WaitAsync(s_deadline);
    }

    private async Task AnsweredAsync(IPAddress address)
    {
        Task<IPAddress[]> asked = AskAsync();
        (await _resolver.NextAsync()).Answer(address);
        Assert.Equal([address], await asked.WaitAsync(s_deadline));
    }

    private Task<IPAddress[]> AskAsync(CancellationToken cancellationToken = default) =>
        _names.ResolveAsync(Host, cancellationToken).AsTask();

    private sealed class Resolver : IHostNames
    {
        private readonly System.Threading.Channels.Channel<Question> _questions =
            System.Threading.Channels.Channel.CreateUnbounded<Question>();
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public IPAddress[]? AnswersAtOnce { get; set; }

        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            if (AnswersAtOnce is { } answer)
            {
                return Task.FromResult(answer);
            }

            var question = new Question();
            _questions.Writer.TryWrite(question);
            return question.Task;
        }

        public async Task<Question> NextAsync() => await _questions.Reader.ReadAsync().AsTask().WaitAsync(s_deadline);

        public sealed class Question
        {
            private readonly TaskCompletionSource<IPAddress[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public Task<IPAddress[]> Task => _answer.Task;

            public void Answer(params IPAddress[] addresses) => _answer.SetResult(addresses);

            public void Fail() => _answer.SetException(new SocketException((int)SocketError.TryAgain));
        }
    }
}
