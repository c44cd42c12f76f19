using System.Text;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Tests.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>Documents that survive a restart, with what is known of them.</summary>
public sealed class DocumentArchiveTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly HeldDocuments _store = new();

    [Fact]
    public async Task Find_WhatWasKept_HasItsAgeAndAllThatWasKnown()
    {
        DocumentArchive archive = Open();
        await archive.KeepAsync("a", Document(10, isVerified: true), "certificate"u8.ToArray());
        await archive.KeepAsync("b", Document(10) with { Lifetime = TimeSpan.FromDays(1), Upstream = null });
        (int Count, long Bytes) held = archive.Held;
        _time.Advance(TimeSpan.FromMinutes(5));
        archive = Open();

        CachedDocument a = archive.Find("a", out ReadOnlyMemory<byte>? certificate)!;
        CachedDocument b = archive.Find("b", out ReadOnlyMemory<byte>? none)!;

        Assert.Equal("certificate", Encoding.UTF8.GetString(certificate!.Value.Span));
        Assert.Null(none);
        Assert.Equal(("text/plain", TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(3), "s1:80", true, 10),
            (a.ContentType, a.Lifetime, a.InitialAge, a.Upstream, a.IsVerified, a.Body.Length));
        Assert.Equal(TimeSpan.FromMinutes(5), a.CheckedAt.Age(_time));
        Assert.Equal((DocumentFetcher.FileLifetime, null, false), (b.Lifetime, b.Upstream, b.IsVerified));
        Assert.Equal((2, 2), (held.Count, archive.Held.Count));
        Assert.Null(archive.Find("c"));
    }

    [Fact]
    public async Task Find_OfADamagedHead_IsNothing()
    {
        await _store.PutAsync("a", new StoredDocument(new byte[9], "{"u8.ToArray(), _time.GetUtcNow()));
        await _store.PutAsync("b", new StoredDocument(new byte[9], "null"u8.ToArray(), _time.GetUtcNow()));

        Assert.Null(Open().Find("a"));
        Assert.Null(Open().Find("b"));
    }

    [Theory]
    [InlineData(1999, true)]
    [InlineData(2000, false)]
    public async Task Keep_DocumentOfHalfTheLongest_IsNotWorthIt(int bytes, bool isKept)
    {
        _store.MaxDocumentBytes = 4000;

        await Open().KeepAsync("a", Document(bytes));

        Assert.Equal(isKept, _store.TryGet("a", out _));
    }

    [Fact]
    public async Task Keep_WhileTheDiskRefuses_CostsOnlyTheCopy()
    {
        _store.IsRefusing = true;

        await Open().KeepAsync("a", Document(9));

        Assert.Empty(_store.Keys());
    }

    [Fact]
    public async Task Held_OfOneDocument_IsItsCostWithItsHead()
    {
        DocumentArchive archive = Open();
        await archive.KeepAsync("a", Document(1000));
        long one = archive.Held.Bytes;
        await archive.KeepAsync("a", Document(1000), new byte[300]);
        long withCertificate = archive.Held.Bytes;

        // In the head it is text: four characters for three bytes, in place of 'null' and quoted.
        Assert.Equal(400 + 2 - 4, withCertificate - one);
        Assert.True(one > 1000);
    }

    /// <summary>What an earlier process kept beyond the room goes when it is opened: the oldest, verified ones last.</summary>
    [Fact]
    public async Task Open_WithMoreThanThereIsRoomFor_ForgetsTheOldestUnverified()
    {
        byte[] body = new byte[7 << 20];
        foreach ((int i, string name) in (IEnumerable<(int, string)>)[(3, "new"), (0, "verified"), (1, "old"), (2, "middle")])
        {
            await PutAsync(name, body, i, name == "verified");
        }

        await _store.PutAsync("not-the-archives", new StoredDocument(body, default, _time.GetUtcNow()));
        for (int i = 0; i < 6; i++)
        {
            await PutAsync($"more{i}", body, 10 + i, isVerified: false);
        }

        DocumentArchive archive = Open();

        Assert.Equal(9, archive.Held.Count);
        Assert.True(archive.Held.Bytes <= DocumentArchive.MaxBytes);
        Assert.False(_store.TryGet("old", out _));
        Assert.All((string[])["verified", "middle", "new", "not-the-archives"], name => Assert.True(_store.TryGet(name, out _)));
    }

    private ValueTask PutAsync(string name, byte[] body, int minutes, bool isVerified) => _store.PutAsync(name, new StoredDocument(
        body, Encoding.ASCII.GetBytes($$"""{"ContentType":"a/b","IsVerified":{{(isVerified ? "true" : "false")}}}"""),
        _time.GetUtcNow().AddMinutes(minutes)));

    private DocumentArchive Open() => new(_store, _time, NullLogger<DocumentArchive>.Instance);

    private CachedDocument Document(int bytes, bool isVerified = false) => new(
        new byte[bytes], "text/plain", TimeSpan.FromSeconds(7), Moment.Now(_time), TimeSpan.FromSeconds(3), "s1:80", isVerified);
}
