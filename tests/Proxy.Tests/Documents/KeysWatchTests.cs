using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Documents;

public class KeysWatchTests
{
    [Fact]
    public void Look_KeyAddedReplacedAndGone_TakesWhatKeepsVerifying()
    {
        using TemporaryDirectory directory = new();
        RepositoryTrust trust = new(MasterKeys.Load(directory.Path));
        using KeysWatch watch =
            new(trust, new TrustOptions { KeysDirectory = directory.Path }, TimeProvider.System, NullLogger<KeysWatch>.Instance);
        string key = directory.Combine("minios.example.org.pub");
        watch.Look();
        Assert.False(trust.Verifies(Fqrn.Parse("minios.example.org")));

        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, key);
        watch.Look();
        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.WriteAllText(key, "not a key");
        watch.Look();
        Assert.Empty(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, directory.Combine("example.org.pub"));
        File.Delete(key);
        watch.Look();
        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.Delete(directory.Combine("example.org.pub"));
        watch.Look();
        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);
    }

    [Fact]
    public void Look_LinkThatStaysWhileItsFolderIsExchanged_TakesTheNewKey()
    {
        using TemporaryDirectory directory = new();
        Directory.CreateDirectory(directory.Combine("..1"));
        Directory.CreateDirectory(directory.Combine("..2"));
        File.WriteAllText(directory.Combine("..1", "minios.example.org.pub"), "not a key");
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, directory.Combine("..2", "minios.example.org.pub"));
        Directory.CreateSymbolicLink(directory.Combine("..data"), "..1");
        File.CreateSymbolicLink(directory.Combine("minios.example.org.pub"), "..data/minios.example.org.pub");
        RepositoryTrust trust = new(MasterKeys.Load(directory.Path));
        using KeysWatch watch =
            new(trust, new TrustOptions { KeysDirectory = directory.Path }, TimeProvider.System, NullLogger<KeysWatch>.Instance);
        watch.Look();
        Assert.Empty(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        Directory.Delete(directory.Combine("..data"));
        Directory.CreateSymbolicLink(directory.Combine("..data"), "..2");
        watch.Look();

        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);
    }

    [Fact]
    public void Look_KeyOfAnotherName_IsThatOfAnotherRepository()
    {
        using TemporaryDirectory directory = new();
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, directory.Combine("a.example.org.pub"));
        RepositoryTrust trust = new(MasterKeys.Load(directory.Path));
        using KeysWatch watch = Watch(trust, directory, TimeProvider.System);
        watch.Look();

        File.Move(directory.Combine("a.example.org.pub"), directory.Combine("b.example.org.pub"));
        watch.Look();

        Assert.Equal((false, true), (trust.Verifies(Fqrn.Parse("a.example.org")), trust.Verifies(Fqrn.Parse("b.example.org"))));
    }

    [Fact]
    public void Look_KeyOfWhichTheFirstByteAloneChanges_IsReadAgain()
    {
        using TemporaryDirectory directory = new();
        byte[] key = File.ReadAllBytes(FixtureRepository.MiniOs.MasterKeyPath);
        File.WriteAllBytes(directory.Combine("example.org.pub"), [(byte)'x', .. key[1..]]);
        RepositoryTrust trust = new(MasterKeys.Load(directory.Path));
        using KeysWatch watch = Watch(trust, directory, TimeProvider.System);
        watch.Look();
        Assert.Empty(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);

        File.WriteAllBytes(directory.Combine("example.org.pub"), key);
        watch.Look();

        Assert.Single(trust.Keys.For(Fqrn.Parse("minios.example.org"))!);
    }

    // A key that came after the import of a seed was looked at half a minute later.
    [Fact]
    public async Task Watch_OfADirectory_TakesAKeyThatHasStoodStillForASecond()
    {
        using TemporaryDirectory directory = new();
        RepositoryTrust trust = new(MasterKeys.None);
        FakeTimeProvider time = new();
        using KeysWatch watch = Watch(trust, directory, time);
        await watch.StartAsync(default).InTimeAsync();
        byte[] key = await File.ReadAllBytesAsync(FixtureRepository.MiniOs.MasterKeyPath);
        string file = directory.Combine("minios.example.org.pub");
        Fqrn minios = Fqrn.Parse("minios.example.org");

        await File.WriteAllBytesAsync(file, key[..100]); // it is being written
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(trust.Keys.For(minios));
        await File.WriteAllBytesAsync(file, key);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(trust.Keys.For(minios));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(trust.Keys.For(minios)!);

        await watch.StopAsync(default).InTimeAsync();
        await File.WriteAllBytesAsync(file, key[..100]);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(trust.Keys.For(minios)!);
    }

    private static KeysWatch Watch(RepositoryTrust trust, TemporaryDirectory directory, TimeProvider time) =>
        new(trust, new TrustOptions { KeysDirectory = directory.Path }, time, NullLogger<KeysWatch>.Instance);
}
