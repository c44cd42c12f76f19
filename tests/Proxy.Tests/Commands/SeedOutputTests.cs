using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>Where a bundle goes, and what is left there when it cannot be written.</summary>
public sealed class SeedOutputTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task File_IsThereWholeOrNotAtAll()
    {
        string path = _directory.Combine("lab.seed.tar");
        var output = SeedOutput.Of(path, "other");
        Assert.Equal((path, path, false), (output.Name, output.Beside, output.IsStandardOutput));

        long length = await output.WriteAsync(async stream =>
        {
            await stream.WriteAsync(new byte[3_000_000]);
            Assert.False(File.Exists(path));
        });

        Assert.Equal((3_000_000, 3_000_000), (length, new FileInfo(path).Length));
        await Assert.ThrowsAsync<InvalidOperationException>(() => output.WriteAsync(async stream =>
        {
            await stream.WriteAsync(new byte[10]);
            throw new InvalidOperationException();
        }));
        Assert.Equal(3_000_000, new FileInfo(path).Length);
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task Parts_AreThereWhenAllAreWrittenOrNone()
    {
        string path = _directory.Combine("lab.seed.tar");
        var output = SeedOutput.Of(path, "other");
        await Assert.ThrowsAsync<InvalidOperationException>(() => output.WriteAsync(async stream =>
        {
            await stream.WriteAsync(new byte[3_000_000]);
            throw new InvalidOperationException();
        }, 1_000_000));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));

        Assert.Equal(2_500_000, await output.WriteAsync(stream => stream.WriteAsync(new byte[2_500_000]).AsTask(), 1_000_000));

        Assert.Equal([("lab.seed.tar.001", 1_000_000), ("lab.seed.tar.002", 1_000_000), ("lab.seed.tar.003", 500_000)],
            new DirectoryInfo(_directory.Path).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal)
                .Select(file => (file.Name, (int)file.Length)));
    }

    [Fact]
    public async Task Link_IsWrittenThroughAndNotSplit()
    {
        string target = _directory.Combine("target");
        string link = _directory.Combine("link");
        await File.WriteAllBytesAsync(target, new byte[100]);
        File.CreateSymbolicLink(link, target);
        var output = SeedOutput.Of(link, "standard.seed.tar");
        Assert.Equal(Path.GetFullPath("standard.seed.tar"), output.Beside);

        Assert.Equal(7, await output.WriteAsync(stream => stream.WriteAsync(new byte[7]).AsTask()));

        Assert.Equal((7, target), (new FileInfo(target).Length, new FileInfo(link).LinkTarget));
        SeedExportException refused =
            await Assert.ThrowsAsync<SeedExportException>(() => output.WriteAsync(_ => Task.CompletedTask, 1_000_000));
        Assert.StartsWith("--split makes files", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Nothing is written to this process's own standard output here: it is not this test's.</summary>
    [Fact]
    public async Task StandardOutput_IsNoFileOfThatName()
    {
        var output = SeedOutput.Of("-", "standard.seed.tar");

        Assert.Equal((true, "standard output", Path.GetFullPath("standard.seed.tar")),
            (output.IsStandardOutput, output.Name, output.Beside));
        Assert.Equal(0, await output.WriteAsync(_ => Task.CompletedTask));
        Assert.False(File.Exists(Path.GetFullPath("-")));
        await Assert.ThrowsAsync<SeedExportException>(() => output.WriteAsync(_ => Task.CompletedTask, 1_000_000));
    }

    [Fact]
    public void Place_ThatCannotBe_IsToldBeforeAnythingIsFetched()
    {
        Assert.Contains("make it, or name another file",
            Assert.Throws<SeedExportException>(() => SeedOutput.Of(_directory.Combine("none", "x"), "y")).Message,
            StringComparison.Ordinal);
        Assert.Contains("is a directory",
            Assert.Throws<SeedExportException>(() => SeedOutput.Of(_directory.Path, "y")).Message, StringComparison.Ordinal);
        Assert.Equal(Path.GetFullPath("y.seed.tar"), SeedOutput.Of(null, "y.seed.tar").Name);
    }

    [Fact]
    public async Task Stream_ThatFails_IsToldByTheBundlesNameAndCountsWhatItTook()
    {
        using var inner = new MemoryStream(new byte[10], writable: true);
        await using var stream = new CountingStream(new Failing(inner), cause => new IOException("told: " + cause.Message));
        stream.Write([1, 2, 3]);
        await stream.WriteAsync(new byte[4]);
        await stream.FlushAsync();
        Assert.Equal((7, 7), (stream.Written, inner.Position));

        Assert.Equal("told: full", Assert.Throws<IOException>(() => stream.Write(new byte[9])).Message);
        Assert.Equal("told: full", (await Assert.ThrowsAsync<IOException>(() => stream.WriteAsync(new byte[9]).AsTask())).Message);
        Assert.Equal(7, stream.Written);
    }

    /// <summary>Takes what fits.</summary>
    private sealed class Failing(MemoryStream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length > inner.Length - inner.Position)
            {
                throw new IOException("full");
            }

            inner.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
