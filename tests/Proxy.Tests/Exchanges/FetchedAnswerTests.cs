using System.IO.Pipelines;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>The body of an origin's answer: how it ends, what it promised, and which part of it is read.</summary>
public sealed class FetchedAnswerTests
{
    private readonly List<string?> _ended = [];

    [Fact]
    public async Task Read_BodyBegunWithItsHead_IsAllOfItAndEndsOnce()
    {
        using FetchedAnswer answer = Answer([4, 5], first: [1, 2, 3]);

        Assert.Equal([1, 2], await ReadAsync(answer, 2));
        Assert.Equal([3], await ReadAsync(answer, 9));
        Assert.Empty(await ReadAsync(answer, 0));
        Assert.Equal([4, 5], await ReadAsync(answer, 9));
        Assert.Empty(_ended);
        Assert.Empty(await ReadAsync(answer, 9));
        Assert.Empty(await ReadAsync(answer, 9));

        Assert.Equal([null], _ended);
    }

    [Fact]
    public async Task NoteBroken_BodyThatEndedAsItsFramingSays_IsNewsOnce()
    {
        using FetchedAnswer answer = Answer([]);
        Assert.Empty(await ReadAsync(answer, 9));

        answer.NoteBroken("was cut");
        answer.NoteBroken("again");
        Assert.Empty(await ReadAsync(answer, 9));

        Assert.Equal([null, "was cut"], _ended);
    }

    [Fact]
    public async Task Promise_OfMoreThanComes_IsBrokenAtTheEndAlone()
    {
        using FetchedAnswer answer = Answer([1, 2, 3]);
        answer.Promise(4);

        Assert.Equal([1, 2, 3], await ReadAsync(answer, 9));
        Assert.Empty(await ReadAsync(answer, 0));
        await BreaksAsync(answer, "o.example.org:80 sent less than it promised", most: 1);

        Assert.Equal([null, "sent less than it promised"], _ended);
    }

    [Fact]
    public async Task Promise_OfWhatComes_IsKept()
    {
        using FetchedAnswer answer = Answer([2, 3], first: [1]);
        answer.Promise(3);

        Assert.Equal([1], await ReadAsync(answer, 9));
        Assert.Equal([2, 3], await ReadAsync(answer, 9));
        Assert.Empty(await ReadAsync(answer, 9));

        Assert.Equal([null], _ended);
    }

    [Fact]
    public async Task Promise_OfLessThanComes_IsBrokenAtOnce()
    {
        using FetchedAnswer answer = Answer([1, 2, 3]);
        answer.Promise(2);

        await BreaksAsync(answer, "o.example.org:80 sent more than it promised");

        Assert.Equal(["sent more than it promised"], _ended);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(200_000)]
    public async Task Narrow_ToAPart_ReadsThatAlone(int skip)
    {
        using FetchedAnswer answer = Answer([.. Enumerable.Repeat((byte)9, skip), 1, 2, 3, 4]);
        answer.Narrow(new ContentRange(skip, skip + 2, skip + 4), skip);

        Assert.Equal((3L, $"bytes {skip}-{skip + 2}/{skip + 4}"), (answer.Length, answer.Fields.Only("Content-Range")));
        Assert.Equal([1, 2], await ReadAsync(answer, 2));
        Assert.Equal([3], await ReadAsync(answer, 9));
        Assert.Empty(await ReadAsync(answer, 9));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(2)]
    public async Task Narrow_BodyThatEndsBeforeThePart_IsBroken(int skip)
    {
        using FetchedAnswer answer = Answer([1, 2, 3]);
        answer.Narrow(new ContentRange(skip, skip + 2, 9), skip);
        if (skip == 2)
        {
            Assert.Equal([3], await ReadAsync(answer, 9));
        }

        await BreaksAsync(answer, "o.example.org:80 sent less than it promised");
    }

    [Theory]
    [InlineData(null, false, false)]
    [InlineData(0L, false, true)]
    [InlineData(7L, false, true)]
    [InlineData(null, true, true)]
    public void HasFramedBody_ByLengthOrChunks(long? length, bool isChunked, bool isFramed)
    {
        using FetchedAnswer answer = Answers.Of(length: length, isChunked: isChunked);

        Assert.Equal((length, isFramed), (answer.Length, answer.HasFramedBody));
    }

    [Fact]
    public void Dispose_Twice_TellsEachOnce()
    {
        List<string> told = [];
        FetchedAnswer answer = Answers.Of();
        answer.WhenDisposed(() => told.Add("a"));
        answer.WhenDisposed(() => told.Add("b"));

        answer.Dispose();
        answer.Dispose();

        Assert.Equal(["a", "b"], told);
    }

    [Fact]
    public async Task Read_OfASilentOrigin_IsBrokenAfterItsPatience()
    {
        using FetchedAnswer answer = Answers.Of(body: new Pipe().Reader.AsStream(), ended: _ended.Add, silence: TimeSpan.FromSeconds(0.1));

        await BreaksAsync(answer, "o.example.org:80 sent nothing for 0.1 s");
        Assert.Equal(["sent nothing for 0.1 s"], _ended);
    }

    [Fact]
    public async Task Read_ThatIsCancelled_BreaksNothing()
    {
        using FetchedAnswer answer = Answers.Of(body: new Pipe().Reader.AsStream(), ended: _ended.Add);
        using var left = new CancellationTokenSource();
        Task<int> reading = answer.ReadAsync(new byte[9], left.Token).AsTask();

        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.InTimeAsync());
        Assert.Empty(_ended);
    }

    [Fact]
    public async Task Read_OfAConnectionThatBreaks_SaysHow()
    {
        var pipe = new Pipe();
        await pipe.Writer.CompleteAsync(new IOException("reset"));
        using FetchedAnswer answer = Answers.Of(body: pipe.Reader.AsStream(), ended: _ended.Add);

        await BreaksAsync(answer, "o.example.org:80 broke off: reset");
        Assert.Equal(["broke off: reset"], _ended);
    }

    private static async Task<byte[]> ReadAsync(FetchedAnswer answer, int most)
    {
        byte[] buffer = new byte[most];
        return buffer[..await answer.ReadAsync(buffer, CancellationToken.None).InTimeAsync()];
    }

    private static async Task BreaksAsync(FetchedAnswer answer, string why, int most = 9) =>
        Assert.Equal(why, (await Assert.ThrowsAsync<IOException>(() => ReadAsync(answer, most))).Message);

    private FetchedAnswer Answer(byte[] body, byte[]? first = null) =>
        Answers.Of(body: new MemoryStream(body), ended: _ended.Add, first: first);
}
