using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Files of CernVM-FS clients, as configuration packages have them.</summary>
public sealed class ClientConfigurationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_TheConfigRepositorysForm_HasTheBranchThatAClientTakes()
    {
        Write("common.conf", """
            if [ -z "$CVMFS_USE_CDN" ]; then
              if [ "$CVMFS_HTTP_PROXY" = "DIRECT" ] || [ "$CVMFS_HTTP_PROXY" = "auto;DIRECT" ]; then
                # the CDN
                CVMFS_USE_CDN=yes
              fi
            fi
            """);
        Write("domain.d/example.org.conf", """
            CVMFS_USE_CDN="$CVMFS_USE_CDN"
            . ../common.conf

            if [ "$CVMFS_USE_CDN" = "yes" ]; then
                CVMFS_SERVER_URL="http://cdn.example.org/cvmfs/@fqrn@"
            else
                CVMFS_SERVER_URL="http://a.example.org:8000/cvmfs/@fqrn@;http://b.example.org/cvmfs/@fqrn@"
            fi
            CVMFS_KEYS_DIR=$CVMFS_MOUNT_DIR/$CVMFS_CONFIG_REPOSITORY/etc/cvmfs/keys/example.org
            """);

        Assert.Equal(["*.example.org: http://a.example.org:8000/ http://b.example.org/"], Read());

        Write("default.local", "CVMFS_HTTP_PROXY=DIRECT\n");
        Assert.Equal(["*.example.org: http://cdn.example.org/"], Read());
    }

    [Fact]
    public void Read_LocalFile_WinsOverThePackages()
    {
        Write("domain.d/example.org.conf", "CVMFS_SERVER_URL=http://a.example.org/cvmfs/@fqrn@");
        Write("domain.d/example.org.local", "CVMFS_SERVER_URL=\"http://mine/cvmfs/@fqrn@;$CVMFS_SERVER_URL\"");

        Assert.Equal(["*.example.org: http://mine/ http://a.example.org/"], Read());
    }

    [Fact]
    public void Read_RepositoryOfItsOwn_IsBesideItsDomain()
    {
        Write("domain.d/example.org.conf", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");
        Write("config.d/same.example.org.conf", "CVMFS_HTTP_PROXY=x");
        Write("config.d/other.example.org.conf", "CVMFS_SERVER_URL='http://b/cvmfs/other.example.org'");

        Assert.Equal(["*.example.org: http://a/", "other.example.org: http://b/"], Read());
    }

    [Fact]
    public void Read_OneListForAll_IsForTheRepositoriesThatAreNamed()
    {
        Write("default.local", "CVMFS_REPOSITORIES=atlas,x.example.org\nCVMFS_SERVER_URL=http://s1/cvmfs/@fqrn@\n");

        Assert.Equal(["atlas.cern.ch: http://s1/", "x.example.org: http://s1/"], Read());
    }

    [Theory]
    [InlineData("CVMFS_SERVER_URL=http://a/opt/@org@")]
    [InlineData("CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@/more")]
    [InlineData("CVMFS_SERVER_URL=ftp://a/cvmfs/@fqrn@")]
    [InlineData("CVMFS_SERVER_URL=http://user:secret@a/cvmfs/@fqrn@")]
    [InlineData("CVMFS_SERVER_URL=$(curl http://a)")]
    [InlineData("CVMFS_SERVER_URL=")]
    [InlineData("if [ x = y ]; then\nCVMFS_SERVER_URL=http://a/cvmfs/@fqrn@\nfi")]
    [InlineData("for s in a b; do\nCVMFS_SERVER_URL=http://$s/cvmfs/@fqrn@\ndone")]
    [InlineData(". example.org.conf")]
    [InlineData("if fi else then elif [ \" ' \\")]
    public void Read_WhatIsNoStratum1OfOurs_IsLeftOut(string text)
    {
        Write("domain.d/example.org.conf", text);
        Write("domain.d/README", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");
        Write("domain.d/nodot.conf", "CVMFS_SERVER_URL=http://a/cvmfs/@fqrn@");

        Assert.Empty(Read());
    }

    [Fact]
    public void Read_NoDirectory_HasNone() => Assert.Empty(ClientConfiguration.Read(_directory.Combine("nowhere")));

    private void Write(string name, string text)
    {
        string path = _directory.Combine(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private string[] Read() =>
        [.. ClientConfiguration.Read(_directory.Path).Select(one => $"{one.Pattern}: {string.Join(' ', one.Stratum1s)}")];
}
