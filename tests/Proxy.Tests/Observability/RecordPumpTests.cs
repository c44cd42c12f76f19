using System.Diagnostics.Metrics;
using System.Net;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Observability;

public sealed class RecordPumpTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly RequestRecorder _recorder;

    public RecordPumpTests() =>
        _recorder = new RequestRecorder(_services.GetRequiredService<IMeterFactory>(), _time) { KeepsRecords = true };

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Stop_TakesTheLastRecordsToTheSinks()
    {
        var sink = new Sink();
        using var pump = new RecordPump(_recorder, [sink], _time, NullLogger<RecordPump>.Instance);
        await pump.StartAsync(default);
        _recorder.Record(Request());

        await pump.StopAsync(default);

        Assert.Equal(1, sink.Records);
    }

    [Fact]
    public void RecordsThatCannotBeKept_AreCountedAndSaidNowAndThen()
    {
        var log = new LogLines<RecordPump>();
        using var pump = new RecordPump(_recorder, [new Sink()], _time, log);
        Assert.Empty(pump.Find());
        for (int round = 0; round < 5; round++)
        {
            long before = _recorder.Dropped;
            for (int i = 0; i < 200_000; i++)
            {
                _recorder.Record(Request());
            }

            Assert.True(_recorder.Dropped > before);
            pump.Pump();
        }

        Assert.Single(log.Said);
        Assert.Equal("requests-unrecorded", Assert.Single(pump.Find()).Name);
        _time.Advance(TimeSpan.FromSeconds(10));
        pump.Pump();
        Assert.Equal(2, log.Said.Count);
        _time.Advance(TimeSpan.FromMinutes(2));
        pump.Pump();
        Assert.Empty(pump.Find());
        Assert.Equal(2, log.Said.Count);
    }

    [Fact]
    public async Task AccessLog_OnADiskThatHangs_KeepsNobodyAndCountsWhatIsLost()
    {
        using var disk = new HangingStream();
        var log = new AccessLog(new AccessLogOptions { Format = AccessLogFormat.Squid }, disk, [], _recorder, _time,
            NullLogger<AccessLog>.Instance);
        RequestRecord[] batch = [.. Enumerable.Repeat(Request(), 10_000)];
        long given = 0;
        while (_recorder.LostLines == 0)
        {
            log.Take(batch, new RecordClock(_time, _time.GetUtcNow(), _time.GetTimestamp()));
            given += batch.Length;
            Assert.True(given < 10_000_000, "lines are kept without a bound");
        }

        log.Take(batch, new RecordClock(_time, _time.GetUtcNow(), _time.GetTimestamp()));
        given += batch.Length;
        Assert.Equal("access-log-slow", Assert.Single(log.Find()).Name);

        disk.Release();
        await Task.Run(log.Dispose).WaitAsync(s_deadline);
        Assert.Equal(given, _recorder.LostLines + disk.Lines);
    }

    [Fact]
    public async Task AccessLog_OnADiskThatRefuses_CountsWhatIsLostAndTriesAgain()
    {
        using var disk = new HangingStream { Refuses = true };
        disk.Release();
        var log = new AccessLog(new AccessLogOptions { Format = AccessLogFormat.Squid }, disk, [], _recorder, _time,
            NullLogger<AccessLog>.Instance);
        Take(3);
        await Waiting.UntilAsync(() => _recorder.LostLines == 3, s_deadline);
        Assert.Equal("access-log-failing", Assert.Single(log.Find()).Name);
        disk.Refuses = false;
        Take(2);
        await Waiting.UntilAsync(() => _recorder.LostLines == 5, s_deadline);

        _time.Advance(TimeSpan.FromSeconds(11));
        Take(4);
        log.Dispose();

        Assert.Equal((5, 4), (_recorder.LostLines, disk.Lines));

        void Take(int count) =>
            log.Take(Enumerable.Repeat(Request(), count).ToArray(), new RecordClock(_time, _time.GetUtcNow(), _time.GetTimestamp()));
    }

    [Fact]
    public void AccessLog_ThatCannotBeOpened_IsToldAtTheStart()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Combine("file"), "");
        var said = new LogLines<AccessLog>();

        using var log = new AccessLog(new AccessLogOptions { Path = directory.Combine("file", "access.log") }, [], _recorder, _time, said);

        Assert.True(log.ReadsTexts);
        Assert.Equal("access-log-failing", Assert.Single(log.Find()).Name);
        Assert.Single(said.Said);
    }

    private static RequestRecord Request() =>
        new()
        {
            StartedAt = 1,
            EndedAt = 1,
            Result = RequestResult.Hit,
            Status = 200,
            Client = IPAddress.Loopback,
            Target = "/cvmfs/a.example.org/x"
        };

    private sealed class Sink : IRecordSink
    {
        public int Records { get; private set; }

        public void Take(ReadOnlySpan<RequestRecord> records, RecordClock clock) => Records += records.Length;
    }

    /// <summary>Takes nothing until it is released.</summary>
    private sealed class HangingStream : Stream
    {
        private readonly ManualResetEventSlim _released = new();

        public bool Refuses { get; set; }

        public long Lines { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Release() => _released.Set();

        public override void Flush()
        {
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _released.Wait(s_deadline);
            if (Refuses)
            {
                throw new IOException("The disk is full.");
            }

            Lines += buffer.Count((byte)'\n');
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
