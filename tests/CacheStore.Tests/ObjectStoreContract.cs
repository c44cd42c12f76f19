namespace Breakwater.CacheStore.Tests;

/// <summary>What every object store does; each implementation runs it.</summary>
public abstract class ObjectStoreContract : IAsyncLifetime
{
    protected IObjectStore Store { get; private set; } = null!;

    protected abstract Task<IObjectStore> OpenAsync();

    /// <summary>Longest object that the store under test takes.</summary>
    protected abstract long MaxObjectBytes { get; }

    public async Task InitializeAsync() => Store = await OpenAsync();

    public virtual async Task DisposeAsync() => await Store.DisposeAsync();

    protected async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = await OpenAsync();
    }

    public static TheoryData<int> Lengths =>
        [0, 1, 199, 4096, 20_000, 65_536, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 1 << 20, (3 << 20) + 12_345];

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Object_Committed_IsReadBackAtOnceAndAfterRestart(int length)
    {
        byte[] bytes = TestObjects.Bytes(length, length);
        ObjectKey key = TestObjects.KeyOf(bytes);

        Assert.Equal(CommitResult.Committed, await Store.WriteAsync(key, bytes));

        Assert.Equal(bytes, await Store.ReadAsync(key));
        await ReopenAsync();
        Assert.True(Store.Contains(key));
        Assert.Equal(bytes, await Store.ReadAsync(key));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha1, ObjectKind.Plain)]
    [InlineData(DigestAlgorithm.RipeMd160, ObjectKind.Catalog)]
    [InlineData(DigestAlgorithm.Shake128, ObjectKind.Chunk)]
    public async Task Object_OfEachAlgorithm_IsVerifiedAndKept(DigestAlgorithm algorithm, ObjectKind kind)
    {
        byte[] bytes = TestObjects.Bytes(1, 300_000);
        ObjectKey key = TestObjects.KeyOf(bytes, algorithm, kind);

        Assert.Equal(CommitResult.Committed, await Store.WriteAsync(key, bytes, lengthKnown: false));
        await ReopenAsync();

        Assert.Equal(bytes, await Store.ReadAsync(key));
        Assert.False(Store.Contains(new ObjectKey(new byte[20], algorithm, kind)));
        Assert.False(Store.Contains(TestObjects.KeyOf(bytes, algorithm, ObjectKind.History)));
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    public async Task Object_WithWrongBytes_IsNeverVisible(int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        bytes[^1] ^= 1;

        await using (ObjectWriter writer = Store.BeginWrite(key, length))
        {
            Assert.Null(await writer.AppendAsync(bytes));
            Assert.False(Store.Contains(key));
            Assert.False(writer.Verify());
            Assert.Equal(CommitResult.HashMismatch, await writer.CommitAsync());
        }

        Assert.False(Store.TryOpen(key, out _));
        await ReopenAsync();
        Assert.False(Store.TryOpen(key, out _));
    }

    [Fact]
    public async Task Object_Verified_IsVisibleBeforeItIsDurable()
    {
        byte[] bytes = TestObjects.Bytes(1, 700_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using ObjectWriter writer = Store.BeginWrite(key, null);
        await writer.AppendAsync(bytes);
        Assert.False(Store.TryOpen(key, out _));

        Assert.True(writer.Verify());

        Assert.Equal(bytes, await Store.ReadAsync(key));
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        Assert.Equal(bytes, await Store.ReadAsync(key));
    }

    [Fact]
    public async Task Writer_DisposedWithoutCommit_LeavesNothing()
    {
        byte[] bytes = TestObjects.Bytes(1, 700_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using (ObjectWriter writer = Store.BeginWrite(key, null))
        {
            await writer.AppendAsync(bytes);
            writer.Verify();
        }

        Assert.False(Store.Contains(key));
        await ReopenAsync();
        Assert.False(Store.Contains(key));
    }

    [Fact]
    public async Task Writer_WhileAppending_HandsBackEarlierBytesToReaders()
    {
        byte[] bytes = TestObjects.Bytes(1, 2_000_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using ObjectWriter writer = Store.BeginWrite(key, null);
        byte[] buffer = new byte[50_000];
        for (int at = 0; at < bytes.Length; at += 100_000)
        {
            await writer.AppendAsync(bytes.AsMemory(at, 100_000));
            foreach (int offset in (int[])[0, at / 2, at, at + 99_999])
            {
                int n = writer.TryRead(offset, buffer);
                n = n >= 0 ? n : await writer.ReadAsync(offset, buffer);
                Assert.True(n > 0);
                Assert.True(buffer.AsSpan(0, n).SequenceEqual(bytes.AsSpan(offset, n)));
            }

            Assert.Equal(0, writer.TryRead(writer.Length, buffer));
        }

        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        Assert.Equal(50_000, await writer.ReadAsync(0, buffer));
    }

    [Fact]
    public async Task SecondWriter_OfTheSameObject_FindsItPresent()
    {
        byte[] bytes = TestObjects.Bytes(1, 50_000);
        ObjectKey key = TestObjects.KeyOf(bytes);

        CommitResult[] results = await Task.WhenAll(Store.WriteAsync(key, bytes), Store.WriteAsync(key, bytes));
        CommitResult late = await Store.WriteAsync(key, bytes);

        Assert.Equal([CommitResult.Committed, CommitResult.AlreadyPresent], results.Order());
        Assert.Equal(CommitResult.AlreadyPresent, late);
    }

    [Fact]
    public async Task TwoWriters_OfTheSameObject_LeaveOneThatCanBeRemovedAndWrittenAgain()
    {
        byte[] bytes = TestObjects.Bytes(1, 30_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await using (ObjectWriter first = Store.BeginWrite(key, bytes.Length))
        await using (ObjectWriter second = Store.BeginWrite(key, bytes.Length))
        {
            await first.AppendAsync(bytes);
            await second.AppendAsync(bytes);
            Assert.True(first.Verify());
            Assert.True(second.Verify());
            await first.CommitAsync();
            await second.CommitAsync();
        }

        Assert.Equal(bytes, await Store.ReadAsync(key));
        Assert.True(Store.Remove(key));
        Assert.False(Store.Contains(key));

        await using ObjectWriter third = Store.BeginWrite(key, bytes.Length);
        await third.AppendAsync(bytes);
        Assert.True(third.Verify());
        Assert.True(Store.Contains(key)); // before it is durable
        Assert.Equal(bytes, await Store.ReadAsync(key));
        Assert.Equal(CommitResult.Committed, await third.CommitAsync());
        Assert.Equal(bytes, await Store.ReadAsync(key));
    }

    [Fact]
    public async Task Object_LongerThanTheLimit_IsRefused()
    {
        byte[] bytes = TestObjects.Bytes(1, (int)MaxObjectBytes + 1);
        ObjectKey key = TestObjects.KeyOf(bytes);

        Assert.Equal(CommitResult.TooLarge, await Store.WriteAsync(key, bytes, lengthKnown: true));
        Assert.Equal(CommitResult.TooLarge, await Store.WriteAsync(key, bytes, lengthKnown: false));
        Assert.False(Store.Contains(key));
        Assert.Equal(CommitResult.Committed, await Store.WriteAsync(TestObjects.KeyOf(bytes.AsSpan(1)), bytes[1..]));
    }

    [Fact]
    public async Task Removed_Object_IsGoneForGoodAndItsLeasesReadOn()
    {
        byte[] bytes = TestObjects.Bytes(1, 700_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await Store.WriteAsync(key, bytes);
        Assert.True(Store.TryOpen(key, out ObjectLease? lease));

        Assert.True(Store.Remove(key));

        Assert.False(Store.Remove(key));
        Assert.False(Store.TryOpen(key, out _));
        Assert.Equal(bytes, await TestObjects.ReadAllAsync(lease));
        lease.Dispose();
        await ReopenAsync();
        Assert.False(Store.Contains(key));
    }

    [Fact]
    public async Task Lease_Ranges_AreTheObjectsBytes()
    {
        byte[] bytes = TestObjects.Bytes(1, 1_500_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await Store.WriteAsync(key, bytes);
        await ReopenAsync();
        Assert.True(Store.TryOpen(key, out ObjectLease? lease));
        using ObjectLease held = lease;
        Random random = new(7);
        byte[] buffer = new byte[300_000];
        for (int i = 0; i < 200; i++)
        {
            int offset = random.Next(bytes.Length);
            int wanted = random.Next(1, buffer.Length);
            int n = await lease.ReadAsync(offset, buffer.AsMemory(0, wanted));
            Assert.InRange(n, 1, wanted);
            Assert.True(buffer.AsSpan(0, n).SequenceEqual(bytes.AsSpan(offset, n)));
        }
    }

    [Fact]
    public async Task Lease_FileRanges_AfterAReadAreTheObjectsBytes()
    {
        byte[] bytes = TestObjects.Bytes(1, 1_500_000);
        ObjectKey key = TestObjects.KeyOf(bytes);
        await Store.WriteAsync(key, bytes);
        await ReopenAsync();
        Assert.True(Store.TryOpen(key, out ObjectLease? lease));
        using ObjectLease held = lease;
        Assert.False(lease.TryGetFileRange(0, out _)); // not checked yet
        await TestObjects.ReadAllAsync(lease);

        byte[] all = new byte[bytes.Length];
        for (int offset = 0; offset < all.Length;)
        {
            Assert.True(lease.TryGetFileRange(offset, out ObjectFileRange range));
            Assert.Equal(range.Length, RandomAccess.Read(range.Handle, all.AsSpan(offset, range.Length), range.FileOffset));
            offset += range.Length;
        }

        Assert.Equal(bytes, all);
    }

    [Fact]
    public async Task ManyWriters_AtOnce_AllObjectsAreThere()
    {
        byte[][] objects = [.. Enumerable.Range(0, 400).Select(i => TestObjects.Bytes(i, (i * 997) % 600_000))];

        CommitResult[] results =
            await Task.WhenAll(
            objects.Select(bytes => Store.WriteAsync(TestObjects.KeyOf(bytes), bytes, 10_000, lengthKnown: bytes.Length % 2 == 0)));

        Assert.All(results, result => Assert.Equal(CommitResult.Committed, result));
        await ReopenAsync();
        foreach (byte[] bytes in objects)
        {
            Assert.Equal(bytes, await Store.ReadAsync(TestObjects.KeyOf(bytes)));
        }
    }
}
